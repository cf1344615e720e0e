"""Recordings: what is on the receiver's disk is listed, played and fetched."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from receiver.view.records import record
from tests.receiver.view.browser.seeing import connect, number, shows, until
from tests.receiver.view.browser.stage import Stage
from tests.receiver.view.browser.test_accessible import FAINT, NAMELESS

NAME = "20261121T140501.123Z"
EVIL = "<img src=x onerror=window.owned=1>"


def facts(camera: str = "cam1", name: str = NAME, **more: Any) -> dict[str, Any]:
    return {
        "camera": camera,
        "name": name,
        "started": 1_700_000_000.0,
        "seconds": 20.0,
        "frames": 200,
        "bytes": 5_300_000,
        "complete": True,
        "events": 0,
    } | more


class Shelf:
    """Recordings of 20 s whose picture at each second has that second's number in it."""

    def __init__(self, stage: Stage) -> None:
        self.listed: list[dict[str, Any]] = [facts()]
        self.asked: list[dict[str, str]] = []
        #: Set to have what plays end.
        self.over = threading.Event()
        self._stage = stage

    def routes(self) -> flask.Blueprint:
        bp = flask.Blueprint("recordings", __name__)

        @bp.get("/recordings")
        def get_recordings() -> dict[str, Any]:
            camera = flask.request.args.get("camera")
            found = [each for each in self.listed if camera in (None, each["camera"])]
            state = {"on": True, "reason": None, "bytes": 5_300_000, "free_bytes": 9_000_000_000}
            return {"recording": state, "recordings": found}

        @bp.get("/recordings/<camera>/<name>.<kind>")
        def get_file(camera: str, name: str, kind: str) -> flask.Response:
            return flask.Response(
                f"{camera} {name} {kind}", content_type="application/octet-stream"
            )

        @bp.get("/recordings/<camera>/<name>/play")
        def play(camera: str, name: str) -> flask.Response:
            self.asked.append(dict(flask.request.args))
            start = float(flask.request.args["from"])
            return flask.Response(self._play(camera, start))

        return bp

    def _play(self, camera: str, start: float) -> Iterator[bytes]:
        yield record("recording", facts(camera) | {"at": start})
        for at in range(int(start), 20):
            frame = self._stage.frame(100 + at, camera=camera)
            head = {
                "camera": camera,
                "view": "annotated",
                "epoch": "e1",
                "seq": 100 + at,
                "captured_at": 1_700_000_000.0 + at,
                "age_seconds": 0.0,
                "width": frame.width,
                "height": frame.height,
                "frame_width": frame.width,
                "frame_height": frame.height,
                "state": "recorded",
                "at": float(at),
            }
            yield record("picture", head, frame.data)
            if self.over.wait(0.15):
                break
        yield record("end", {"reason": "the recording is over"})


@pytest.fixture
def shelf(stage: Stage) -> Shelf:
    shelf = Shelf(stage)
    stage.stop()
    stage.more = [shelf.routes()]
    stage.restart()
    return shelf


def opened(stage: Stage, page: Page) -> Locator:
    """Open the list; return its lines."""
    connect(page, stage.url)
    page.get_by_role("button", name="Recordings", exact=True).click()
    return page.locator(".recordings li")


def player(page: Page, name: str) -> Locator:
    return page.locator(f"#player [data-is={name}]")


def test_without_recording_there_is_no_such_panel(stage: Stage, page: Page) -> None:
    with page.expect_response(re.compile(r"/recordings\?")) as answer:
        connect(page, stage.url)
    assert answer.value.status == 404

    expect(page.get_by_role("button", name="Recordings", exact=True)).to_be_hidden()


def test_recordings_are_listed_newest_first_and_by_camera(
    stage: Stage, page: Page, shelf: Shelf
) -> None:
    shelf.listed = [
        facts("yard", "20261121T150000.000Z", complete=False, events=2),
        facts(),
    ]
    lines = opened(stage, page)

    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("yard, 2023-11-14")
    expect(lines.first).to_contain_text("20 s · 200 frames · 5.3 MB · 2 events · not finished")
    page.get_by_label("Camera whose recordings are listed").select_option("cam1")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("cam1")


def test_who_gave_no_token_is_not_asked_for_it_by_the_list(
    stage: Stage, page: Page, shelf: Shelf
) -> None:
    stage.token = "a-token-of-the-test"
    page.goto(stage.url)
    page.get_by_role("textbox", name="Token").fill(stage.token)
    page.keyboard.press("Enter")
    tab = page.get_by_role("button", name="Recordings", exact=True)
    tab.click()
    expect(page.locator(".recordings li")).to_have_count(1)
    page.get_by_role("button", name="Forget token").click()
    form = page.get_by_role("dialog", name="This receiver asks for a token")
    form.get_by_role("button", name="Cancel").click()

    tab.click()

    with pytest.raises(TimeoutError), page.expect_request("**/*", timeout=2000):
        tab.click()
    expect(form).to_be_hidden()


def test_one_is_played_held_and_gone_on_with(stage: Stage, page: Page, shelf: Shelf) -> None:
    opened(stage, page).get_by_role("button", name="Play").click()
    canvas = player(page, "canvas")
    until(lambda: (number(canvas) or 0) > 101, page)
    expect(player(page, "state")).to_have_text("playing")

    page.keyboard.press(" ")
    expect(player(page, "state")).to_have_text("paused")
    held = number(canvas)
    page.wait_for_timeout(600)
    assert number(canvas) == held

    page.keyboard.press(" ")
    until(lambda: (number(canvas) or 0) > (held or 0), page)
    assert float(shelf.asked[-1]["from"]) >= 1
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()


def test_it_is_played_from_another_place_and_at_another_speed(
    stage: Stage, page: Page, shelf: Shelf
) -> None:
    opened(stage, page).get_by_role("button", name="Play").click()
    page.keyboard.press(" ")
    expect(player(page, "state")).to_have_text("paused")

    player(page, "place").fill("12")
    shows(page, player(page, "canvas"), 112)
    expect(player(page, "state")).to_have_text("paused")
    expect(player(page, "time")).to_have_text("0:12 of 0:20")
    page.locator("#player .stage").focus()
    page.keyboard.press("ArrowLeft")
    shows(page, player(page, "canvas"), 107)

    player(page, "speed").select_option("4")
    player(page, "play").click()
    until(lambda: shelf.asked[-1]["speed"] == "4", page)
    assert float(shelf.asked[-1]["from"]) == pytest.approx(7)


def test_the_end_is_told_and_playing_begins_anew(stage: Stage, page: Page, shelf: Shelf) -> None:
    opened(stage, page).get_by_role("button", name="Play").click()
    shelf.over.set()

    expect(player(page, "state")).to_have_text("the end")
    expect(player(page, "play")).to_have_text("Play")


@pytest.mark.parametrize("token", [None, "secret-token"])
def test_its_files_are_saved_with_and_without_a_token(
    stage: Stage, page: Page, shelf: Shelf, tmp_path: Path, token: str | None
) -> None:
    stage.token = token
    page.goto(stage.url)
    if token:
        page.get_by_role("textbox", name="Token").fill(token)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Recordings", exact=True).click()
    for kind in ("mkv", "jsonl"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=re.compile(f"as {kind}")).click()
        assert waiting.value.suggested_filename == f"cam1-{NAME}.{kind}"
        waiting.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_text() == f"cam1 {NAME} {kind}"
        assert "secret" not in waiting.value.url


def test_a_removed_recording_leaves_the_list(stage: Stage, page: Page, shelf: Shelf) -> None:
    shelf.listed.append(facts("yard", "20261121T130000.000Z"))
    lines = opened(stage, page)
    expect(lines).to_have_count(2)

    shelf.listed.pop(0)
    page.get_by_role("button", name="Recordings", exact=True).click()
    page.get_by_role("button", name="Recordings", exact=True).click()

    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("yard")


def test_what_a_recording_is_called_is_text(stage: Stage, page: Page, shelf: Shelf) -> None:
    shelf.listed = [facts(EVIL)]
    lines = opened(stage, page)
    expect(lines).to_contain_text(EVIL)
    lines.get_by_role("button", name="Play").click()

    expect(player(page, "name")).to_contain_text(EVIL)
    assert page.evaluate("window.owned") is None


def test_live_pictures_rest_while_a_recording_plays(stage: Stage, page: Page, shelf: Shelf) -> None:
    camera = stage.publish(1)
    lines = opened(stage, page)
    until(lambda: camera.viewers == 1, page)

    lines.get_by_role("button", name="Play").click()
    until(lambda: camera.viewers == 0, page)
    page.keyboard.press("Escape")

    until(lambda: camera.viewers == 1, page)
    expect(page.get_by_role("status").first).to_have_text("connected")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_and_player_can_be_read_and_fit_a_phone(
    stage: Stage, page: Page, shelf: Shelf, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 360, "height": 740})
    shelf.listed = [facts("a-rather-long-name-of-a-camera-" * 2, complete=False, events=3)]
    lines = opened(stage, page)
    expect(lines).to_have_count(1)

    for where in ("list", "player"):
        if where == "player":
            lines.get_by_role("button", name="Play").click()
            until(lambda: player(page, "frame").text_content(), page)
        assert page.evaluate(NAMELESS) == [], where
        assert page.evaluate(FAINT) == [], where
        assert page.evaluate("document.documentElement.scrollWidth") == 360, where
        for button in page.locator("#player button").all():
            if where == "player":
                expect(button).to_be_in_viewport()
