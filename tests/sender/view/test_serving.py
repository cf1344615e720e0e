"""What viewers at the sender get, from a real server."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from itertools import islice

import pytest

from sender.view import server as serving
from sender.view.window import Window
from shared import codec, jpeg, pattern
from tests.sender.view.stage import Counted, Stage, until


def number(picture: bytes) -> int:
    mark = pattern.read(codec.decode(picture))
    assert mark is not None
    return mark.number


def test_a_snapshot_is_the_newest_picture_with_its_facts() -> None:
    with Stage() as stage:
        stage.show()
        stage.show(seq=9)
        answer = stage.get("/cameras/cam1/frame.jpg")

    assert answer.status_code == 200
    assert number(answer.content) == 2
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Frame-Seq"] == "9"
    assert answer.headers["X-Frame-Epoch"] == "e1"
    assert answer.headers["X-Frame-State"] == "live"
    assert float(answer.headers["X-Timestamp"]) == pytest.approx(time.time(), abs=60)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_picture_that_is_posted_nowhere_has_no_number() -> None:
    with Stage() as stage:
        stage.show(seq=None)
        headers = stage.get("/cameras/cam1/frame.jpg").headers
        with stage.view("/cameras/cam1/stream.mjpg") as parts:
            part, _ = next(parts)

    assert "X-Frame-Seq" not in headers
    assert "X-Frame-Seq" not in part
    assert "X-Timestamp" in part


def test_nothing_is_encoded_while_nobody_looks() -> None:
    with Stage() as stage:
        pictures = [Counted(n) for n in range(20)]
        for picture in pictures:
            stage.show(picture)
        assert stage.value("renditions_total") == 0
        stage.get("/cameras/cam1/frame.jpg?width=320")

        assert [len(picture.encoded) for picture in pictures] == [0] * 19 + [1]
        assert stage.value("renditions_total") == 1


def test_equal_wishes_are_encoded_once_and_each_viewer_gets_its_own() -> None:
    with Stage() as stage:
        stage.show()
        with (
            stage.view("/cameras/cam1/stream.mjpg?width=320") as small,
            stage.view("/cameras/cam1/stream.mjpg?width=320") as as_small,
            stage.view("/cameras/cam1/stream.mjpg?width=160&quality=30") as tiny,
            stage.view("/cameras/cam1/stream.mjpg") as whole,
        ):
            viewers = (small, as_small, tiny, whole)
            for viewer in viewers:
                next(viewer)
            picture = Counted(77)
            stage.show(picture)
            seen = []
            for viewer in viewers:
                seen.append(next(data for _, data in viewer if number(data) == 77))

        assert [jpeg.read_header(data).width for data in seen] == [320, 320, 160, 640]
        assert seen[0] == seen[1]
        sizes = {(320, 180): 80, (160, 90): 30, (640, 360): 80}
        assert {size: quality for quality, size in picture.encoded} == sizes
        assert len(picture.encoded) == 3


def test_a_viewer_s_rate_is_its_own() -> None:
    with Stage() as stage, stage.showing(fps=40):
        until(lambda: stage.get("/cameras/cam1/frame.jpg").ok)
        with (
            stage.view("/cameras/cam1/stream.mjpg?fps=5") as slow,
            stage.view("/cameras/cam1/stream.mjpg") as quick,
        ):
            times = [float(headers["X-Timestamp"]) for headers, _ in islice(slow, 8)]
            numbers = [int(headers["X-Frame-Seq"]) for headers, _ in islice(quick, 10)]

    # As they come, eight take 0.2 s.
    assert times[7] - times[0] > 1
    assert numbers == sorted(set(numbers))


def test_a_stuck_viewer_costs_nobody_anything_and_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "_TAKE", 0.5)
    with Stage(viewers=2) as stage, stage.showing(fps=50):
        until(lambda: stage.get("/cameras/cam1/frame.jpg").ok)
        with closing(stage.stick()):
            with stage.view("/cameras/cam1/stream.mjpg") as parts:
                assert len(list(islice(parts, 30))) == 30
            # It reads nothing, and its place is free again all the same.
            until(lambda: stage.value("seats_taken", kind="viewers") == 0)


def test_more_viewers_than_there_may_be_are_told_so() -> None:
    with Stage(viewers=2) as stage:
        stage.show()
        with stage.view("/cameras/cam1/stream.mjpg"), stage.view("/video_feed"):
            answer = stage.get("/cameras/cam1/stream.mjpg")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json()["detail"].startswith("viewers: expected at most 2 at once")
            assert stage.get("/cameras/cam1/frame.jpg").ok
            assert stage.get("/healthz").ok
            assert stage.value("seats_refused_total", kind="viewers") == 1


def test_a_viewer_that_left_makes_room() -> None:
    with Stage(viewers=1) as stage, stage.showing():
        until(lambda: stage.get("/cameras/cam1/frame.jpg").ok)
        for _ in range(3):
            until(lambda: stage.value("seats_taken", kind="viewers") == 0)
            with stage.view("/cameras/cam1/stream.mjpg") as parts:
                next(parts)


def connections() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "status connection"]


def test_the_end_comes_at_once_for_viewers_that_look_and_that_are_stuck() -> None:
    stage = Stage()
    with stage:
        stage.show(Counted(1, 1920, 1080))
        with closing(stage.stick()), stage.view("/cameras/cam1/stream.mjpg?fps=0.1") as parts:
            next(parts)
            until(lambda: stage.value("seats_taken", kind="viewers") == 2)
            stage.close()
            # Left to themselves, the stuck one has 15 s, and the other looks again after as many.
            until(lambda: not connections(), within=12)
            assert list(parts) == []


def test_a_camera_without_a_picture_yet_is_told_apart_from_one_that_is_unknown() -> None:
    with Stage() as stage:
        answers = [stage.get(f"/cameras/cam1/{name}") for name in ("frame.jpg", "stream.mjpg")]

    for answer in answers:
        assert (answer.status_code, answer.json()["title"]) == (404, "No such camera")
        assert answer.json()["detail"] == "camera: no frame of 'cam1' has come yet"


def test_a_camera_that_is_down_shows_its_last_picture_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Stage() as stage:
        stage.show(seq=3)
        monkeypatch.setattr(Window, "age", lambda self: 30.0)
        with stage.view("/cameras/cam1/stream.mjpg") as parts:
            again = [headers["X-Frame-Seq"] for headers, _ in islice(parts, 2)]
            monkeypatch.setattr(Window, "age", lambda self: 61.0)
            rest = list(parts)
        snapshot = stage.get("/cameras/cam1/frame.jpg")

    assert again == ["3", "3"]
    assert len(rest) <= 1
    assert snapshot.status_code == 200


def test_what_is_wrong_with_a_request_is_one_sentence() -> None:
    with Stage("door", "yard") as stage:
        unknown = stage.get("/cameras/roof/stream.mjpg")
        wrong = stage.get("/cameras/door/frame.jpg?width=wide")

    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"] == "application/problem+json"
    assert unknown.json()["detail"] == "camera: expected one of door, yard; got 'roof'"
    assert wrong.status_code == 400
    assert wrong.json()["detail"] == "width: expected a whole number from 1 to 16384, got 'wide'"


def test_the_names_that_other_tools_know_lead_to_the_only_camera() -> None:
    with Stage() as stage:
        stage.show()
        assert stage.get("/?action=snapshot").headers["Content-Type"] == "image/jpeg"
        with stage.view("/video_feed") as parts:
            next(parts)
        with stage.view("/?action=stream") as parts:
            next(parts)
