from __future__ import annotations

import dataclasses
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import av
import cv2
import flask
import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from receiver.app import create_app
from receiver.camera import Camera
from receiver.hub import Hub
from receiver.view.drawing import draw
from shared import codec, jpeg, pattern
from shared.frame import EncodedFrame
from shared.latest import Latest
from shared.seats import Seats
from shared.view import live
from shared.view.renditions import Renditions
from tests.conftest import MakeFrame

Serve = Callable[[], int]


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def renditions() -> Renditions[EncodedFrame]:
    return Renditions(draw)


@pytest.fixture
def app(hub: Hub, renditions: Renditions[EncodedFrame]) -> flask.Flask:
    return create_app([live.blueprint(hub, renditions, seats=Seats(3))], max_bytes=1 << 20)


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def port(app: flask.Flask, hub: Hub) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.port
    hub.close()
    server.shutdown()
    thread.join(30)
    server.server_close()


def the(hub: Hub, name: str = "cam1") -> Camera:
    camera = hub.get(name)
    assert camera is not None
    return camera


def until(true: Callable[[], bool], *, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@contextmanager
def publishing(
    hub: Hub, make_frame: MakeFrame, *, fps: float = 50, width: int = 160
) -> Iterator[None]:
    """Publish numbered frames meanwhile."""
    frames = [make_frame(seq, width=width, height=width * 3 // 4) for seq in range(20)]
    done = threading.Event()

    def run() -> None:
        seq = 0
        while not done.wait(1 / fps):
            seq += 1
            hub.publish(dataclasses.replace(frames[seq % 20], seq=seq, arrived=time.monotonic()))

    hub.publish(dataclasses.replace(frames[0], arrived=time.monotonic()))
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def read_part(answer: http.client.HTTPResponse) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    while True:
        line = answer.readline().decode().strip()
        if ":" in line:
            name, _, value = line.partition(": ")
            headers[name] = value
        elif not line and headers:
            return headers, answer.read(int(headers["Content-Length"]))


def test_a_snapshot_is_the_newest_frame_untouched_with_its_facts(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(1))
    frame = make_frame(2, captured_at=1700000000.5)
    hub.publish(frame)

    answer = client.get("/cameras/cam1/frame.jpg")

    assert answer.status_code == 200
    assert answer.data == frame.data
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["X-Timestamp"] == "1700000000.500000"
    assert answer.headers["X-Frame-Seq"] == "2"
    assert answer.headers["X-Frame-Epoch"] == "e1"
    assert answer.headers["X-Frame-State"] == "live"
    assert answer.headers["Age"] == "0"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_asks_for_one_picture_after_the_other_watches(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(3))
    before = the(hub).is_watched()
    client.get("/cameras/cam1/frame.jpg")

    assert (before, the(hub).is_watched()) == (False, True)


def test_a_snapshot_of_a_frozen_camera_says_so(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(1))
    still = make_frame(2)
    for ago in (6, 4, 2, 0):
        the(hub)._stillness.look(still, time.monotonic() - ago)

    assert client.get("/cameras/cam1/frame.jpg").headers["X-Frame-State"] == "frozen"


@pytest.mark.parametrize(("seconds", "state"), [(2, "live"), (10, "stale"), (3600, "gone")])
def test_an_old_picture_is_marked(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame, seconds: int, state: str
) -> None:
    hub.publish(dataclasses.replace(make_frame(), arrived=time.monotonic() - seconds))

    answer = client.get("/cameras/cam1/frame.jpg")

    assert answer.headers["X-Frame-State"] == state
    assert int(answer.headers["Age"]) in (seconds, seconds + 1)


def test_a_snapshot_comes_in_the_wished_size(
    client: FlaskClient, hub: Hub, renditions: Renditions[EncodedFrame], make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(9, width=640, height=480))

    answers = [client.get("/cameras/cam1/frame.jpg?width=320&quality=60") for _ in range(5)]

    assert {jpeg.read_header(answer.data).width for answer in answers} == {320}
    assert pattern.read(codec.decode(answers[0].data)) is not None
    assert renditions.encodes == 1


def test_annotated_is_what_the_hook_drew_or_else_the_raw_picture(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    raw, drawn = make_frame(1), make_frame(2)
    hub.publish(raw)

    assert client.get("/cameras/cam1/frame.jpg?view=annotated").data == raw.data
    the(hub).annotated.put(drawn)
    assert client.get("/cameras/cam1/frame.jpg?view=annotated").data == drawn.data
    assert client.get("/cameras/cam1/frame.jpg").data == raw.data


def test_what_the_hook_drew_takes_the_place_of_the_same_raw_frame(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    raw = make_frame(1)
    hub.publish(raw)
    for query in ("?view=annotated", "?view=annotated&width=80"):
        url = f"/cameras/cam1/frame.jpg{query}"
        the(hub).annotated = Latest()
        before = client.get(url)
        the(hub).annotated.put(dataclasses.replace(raw, data=make_frame(2).data))
        after = client.get(url, headers={"If-None-Match": before.headers["ETag"]})

        assert after.status_code == 200
        assert after.data != before.data


def test_a_picture_that_the_client_has_is_not_sent_again(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(1))
    tag = client.get("/cameras/cam1/frame.jpg").headers["ETag"]

    def again(query: str = "") -> int:
        url = f"/cameras/cam1/frame.jpg{query}"
        return client.get(url, headers={"If-None-Match": tag}).status_code

    assert again() == 304
    assert again("?width=80") == 200
    hub.publish(make_frame(2))
    assert again() == 200


def test_an_unknown_camera_is_a_problem_that_names_the_known_ones(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    for path in ("/cameras/cam1/frame.jpg", "/cameras/cam1/stream.mjpg", "/video_feed"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    hub.publish(make_frame(camera="door"))

    detail = (client.get("/cameras/cam1/frame.jpg").json or {})["detail"]

    assert detail == "camera: expected one of door; got 'cam1'"


@pytest.mark.parametrize(
    "path",
    ["/cameras/cam1/frame.jpg?width=wide", "/cameras/cam1/stream.mjpg?fps=0", "/?action=dance"],
)
def test_a_bad_query_is_a_problem_that_names_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    name = path.partition("?")[2].partition("=")[0]
    assert (answer.json or {})["detail"].startswith(f"{name}: expected ")


def test_the_names_of_tutorials_show_the_only_camera_or_the_default_one(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    only = make_frame(1, camera="door")
    hub.publish(only)
    assert client.get("/?action=snapshot").data == only.data

    hub.publish(make_frame(2, camera="yard"))
    assert client.get("/?action=snapshot").status_code == 404
    assert client.get("/?action=snapshot&camera=door").data == only.data

    default = make_frame(3, camera="default")
    hub.publish(default)
    assert client.get("/?action=snapshot").data == default.data
    for path in ("/video_feed", "/?action=stream", "/video_feed?camera=default"):
        with client.get(path, buffered=False) as answer:
            assert answer.content_type.startswith("multipart/x-mixed-replace")
            assert default.data in next(iter(answer.response))


def test_a_stream_shows_every_picture_with_its_facts(
    port: int, hub: Hub, make_frame: MakeFrame
) -> None:
    first, second = make_frame(1, captured_at=1700000000), make_frame(2)
    hub.publish(first)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/cameras/cam1/stream.mjpg")
        answer = connection.getresponse()
        headers, picture = read_part(answer)
        assert picture == first.data
        assert headers["X-Timestamp"] == "1700000000.000000"
        assert headers["X-Frame-Seq"] == "1"
        assert headers["Content-Type"] == "image/jpeg"
        until(lambda: the(hub).viewers == 1)

        hub.publish(second)

        assert read_part(answer)[1] == second.data
        answer.close()
    until(lambda: the(hub).viewers == 0)


def test_a_viewer_that_goes_away_from_a_silent_camera_is_noticed(
    port: int, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(width=640, height=480))
    with socket.create_connection(("127.0.0.1", port)) as viewer:
        viewer.sendall(b"GET /cameras/cam1/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n")
        assert viewer.recv(100)
        until(lambda: the(hub).viewers == 1)

    until(lambda: the(hub).viewers == 0)


def test_opencv_and_ffmpeg_play_a_stream(port: int, hub: Hub, make_frame: MakeFrame) -> None:
    url = f"http://127.0.0.1:{port}/cameras/cam1/stream.mjpg"
    with publishing(hub, make_frame):
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
        seen = [pattern.read(np.asarray(capture.read()[1], np.uint8)) for _ in range(5)]
        capture.release()
        with av.open(url, format="mpjpeg", timeout=30) as container:
            frame = next(container.decode(video=0))

    numbers = [mark.number for mark in seen if mark]
    assert len(set(numbers)) == 5
    assert (frame.width, frame.height) == (160, 120)


def test_a_stuck_viewer_holds_up_nobody(port: int, hub: Hub, make_frame: MakeFrame) -> None:
    with publishing(hub, make_frame, width=1280), socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", port))
        stuck.sendall(b"GET /cameras/cam1/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: the(hub).viewers == 1)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/cameras/cam1/stream.mjpg")
            answer = connection.getresponse()
            started = time.monotonic()
            seqs = [int(read_part(answer)[0]["X-Frame-Seq"]) for _ in range(60)]
            seconds = time.monotonic() - started
            answer.close()

    assert seqs == sorted(set(seqs))
    assert seconds < 20


def test_viewers_who_wish_the_same_cost_one_encode(
    port: int, hub: Hub, renditions: Renditions[EncodedFrame], make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(0, width=640, height=480))
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(3)]
    answers = []
    for connection in connections:
        connection.request("GET", "/cameras/cam1/stream.mjpg?width=320")
        answers.append(connection.getresponse())
    for seq in range(1, 6):
        assert {len(read_part(answer)[1]) for answer in answers} != {0}
        hub.publish(make_frame(seq, width=640, height=480))
    for answer, connection in zip(answers, connections, strict=True):
        answer.close()
        connection.close()
    hub.close()
    until(lambda: the(hub).viewers == 0)

    assert renditions.encodes <= 6


def test_viewers_beyond_the_cap_are_told_to_come_back(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame())
    url = "/cameras/cam1/stream.mjpg"
    viewers = [client.get(url, buffered=False) for _ in range(3)]
    assert the(hub).viewers == 3

    beyond = client.get(url)

    assert beyond.status_code == 503
    assert beyond.headers["Retry-After"] == "5"
    assert (beyond.json or {})["detail"].startswith("viewers: expected at most 3 at once")
    assert client.get("/cameras/cam1/frame.jpg").status_code == 200
    viewers.pop().close()
    assert the(hub).viewers == 2
    viewers.append(client.get(url, buffered=False))
    assert viewers[-1].status_code == 200
    for viewer in viewers:
        viewer.close()
    assert the(hub).viewers == 0


def test_asking_only_for_the_headers_takes_no_seat(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame())

    assert client.head("/cameras/cam1/stream.mjpg").status_code == 200
    assert the(hub).viewers == 0
