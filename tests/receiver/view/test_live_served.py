"""Live streams from the real server: what only its threads and sockets can show."""

from __future__ import annotations

import http.client
import math
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
import requests

from shared import codec, pattern
from tests.program import Receiver
from tests.records import read_records

SEATS = 6
REQUEST = b"GET /cameras/cam1/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver("--max-viewers", str(SEATS)) as receiver:
        yield receiver


@contextmanager
def posting(receiver: Receiver, camera: str = "cam1", *, fps: float = 25) -> Iterator[None]:
    """Post large pictures meanwhile."""
    jpeg = codec.encode(pattern.draw(1, 1280, 720), 90)
    done, first = threading.Event(), threading.Event()

    def run() -> None:
        with requests.Session() as session:
            while not done.wait(1 / fps):
                headers = {"Content-Type": "image/jpeg", "X-Timestamp": f"{time.time():.6f}"}
                url = f"{receiver.url}/cameras/{camera}/frames"
                assert session.post(url, jpeg, headers=headers, timeout=30).status_code == 202
                first.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert first.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def viewers(receiver: Receiver) -> int:
    return int(requests.get(f"{receiver.url}/cameras/cam1", timeout=30).json()["viewers"])


def until(true: Callable[[], bool], *, within: float = 30.0) -> None:
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
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
        with closing(connection):
            connection.request("GET", "/cameras/cam1/stream.mjpg")
            answer = connection.getresponse()
            ages: list[float] = []
            while len(ages) < 30:
                line = answer.readline()
                if line.startswith(b"X-Timestamp: "):
                    ages.append(time.time() - float(line.split()[1]))
            assert requests.get(f"{receiver.url}/video_feed", timeout=30).status_code == 503
            answer.close()
        for viewer in stuck:
            viewer.close()
        until(lambda: viewers(receiver) == 0)

    assert sorted(ages)[len(ages) // 2] < 2


def test_every_seat_of_a_viewer_that_vanished_is_free_again(receiver: Receiver) -> None:
    with posting(receiver):
        for n in range(5 * SEATS):
            viewer = connect(receiver)
            if n % 2:
                viewer.recv(10)
            reset(viewer)

        until(lambda: viewers(receiver) == 0)


class Reader:
    """A viewer of a wall that reads at most so many bytes a second."""

    def __init__(self, receiver: Receiver, *, rate: float = math.inf) -> None:
        self._socket = socket.socket()
        # What the reader's own kernel holds is beyond the receiver's reach.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
        self._socket.connect(("127.0.0.1", receiver.port))
        self._connection.sock = self._socket
        self._connection.request("GET", "/live")
        self._answer = self._connection.getresponse()
        self._rate = rate
        self._started = time.monotonic()
        self._bytes = 0

    def __enter__(self) -> Iterator[float]:
        """Return the ages of the pictures as they come, in seconds."""
        return (
            time.time() - head["captured_at"]
            for head, _ in read_records(self._read)
            if head["kind"] == "picture"
        )

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._connection.close()

    def _read(self, size: int) -> bytes:
        self._bytes += size
        early = self._started + self._bytes / self._rate - time.monotonic()
        threading.Event().wait(max(0.0, early))
        return self._answer.read(size)


@contextmanager
def busy_cameras(receiver: Receiver) -> Iterator[None]:
    """Post far more than a megabyte a second."""
    with ExitStack() as stack:
        for number in range(6):
            stack.enter_context(posting(receiver, f"cam{number}", fps=8))
        yield


def test_who_reads_a_wall_slowly_gets_few_pictures_and_no_old_ones(receiver: Receiver) -> None:
    with busy_cameras(receiver), Reader(receiver, rate=7e5) as ages:
        started = time.monotonic()
        late = []
        for age in ages:
            if time.monotonic() > started + 4:
                late.append(age)
            if time.monotonic() > started + 6:
                break

    # With the kernel's usual buffers it is as many seconds as this goes on.
    assert sorted(late)[len(late) // 2] < 3


def test_who_rested_from_a_wall_soon_sees_what_is_new(receiver: Receiver) -> None:
    with busy_cameras(receiver), Reader(receiver) as ages:
        for _ in range(20):
            next(ages)
        threading.Event().wait(5)
        old = 0
        for age in ages:
            if age < 2:
                break
            old += 1
    # In sockets and in the server: whoever rests for longer finds no more.
    assert old < 40


def test_the_end_is_told_to_a_wall_and_does_not_wait_for_it(receiver: Receiver) -> None:
    jpeg = codec.encode(pattern.draw(1, 160, 120), 90)
    requests.post(f"{receiver.url}/cameras/cam1/frames", jpeg, timeout=30).raise_for_status()
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
    with closing(connection):
        connection.request("GET", "/live")
        records = read_records(connection.getresponse().read)
        assert next(head for head, _ in records if head["kind"] == "picture")["seq"] == 0
        started = time.monotonic()
        receiver.signal(signal.SIGTERM)
        *_, (last, _) = records
        assert last == {"kind": "end", "reason": "the receiver shuts down"}

    assert receiver.wait() == 0
    assert time.monotonic() - started < 20
