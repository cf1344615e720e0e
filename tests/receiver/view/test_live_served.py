"""Live streams from the real server: what only its threads and sockets can show."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import requests

from shared import codec, pattern
from tests.program import Receiver

SEATS = 6
REQUEST = b"GET /cameras/cam1/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver("--max-viewers", str(SEATS)) as receiver:
        yield receiver


@contextmanager
def posting(receiver: Receiver, *, fps: float = 25) -> Iterator[None]:
    """Post large pictures meanwhile."""
    jpeg = codec.encode(pattern.draw(1, 1280, 720), 90)
    done, first = threading.Event(), threading.Event()

    def run() -> None:
        with requests.Session() as session:
            while not done.wait(1 / fps):
                headers = {"Content-Type": "image/jpeg", "X-Timestamp": f"{time.time():.6f}"}
                url = f"{receiver.url}/cameras/cam1/frames"
                assert session.post(url, jpeg, headers=headers, timeout=5).status_code == 202
                first.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert first.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join(5)


def viewers(receiver: Receiver) -> int:
    return int(requests.get(f"{receiver.url}/cameras/cam1", timeout=5).json()["viewers"])


def until(true: Callable[[], bool], *, within: float = 8) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def connect(receiver: Receiver) -> socket.socket:
    """Return a viewer that has asked and does not read."""
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer.connect(("127.0.0.1", receiver.port))
    viewer.sendall(REQUEST)
    return viewer


def reset(viewer: socket.socket) -> None:
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()


def test_stuck_viewers_hold_up_nobody(receiver: Receiver) -> None:
    with posting(receiver):
        stuck = [connect(receiver) for _ in range(SEATS - 1)]
        until(lambda: viewers(receiver) == SEATS - 1)
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=5)
        with closing(connection):
            connection.request("GET", "/cameras/cam1/stream.mjpg")
            answer = connection.getresponse()
            ages: list[float] = []
            while len(ages) < 30:
                line = answer.readline()
                if line.startswith(b"X-Timestamp: "):
                    ages.append(time.time() - float(line.split()[1]))
            assert requests.get(f"{receiver.url}/video_feed", timeout=5).status_code == 503
            answer.close()
        for viewer in stuck:
            viewer.close()
        until(lambda: viewers(receiver) == 0)

    assert sorted(ages)[len(ages) // 2] < 0.1


def test_every_seat_of_a_viewer_that_vanished_is_free_again(receiver: Receiver) -> None:
    with posting(receiver):
        for n in range(5 * SEATS):
            viewer = connect(receiver)
            if n % 2:
                viewer.recv(10)
            reset(viewer)

        until(lambda: viewers(receiver) == 0)
