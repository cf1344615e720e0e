"""The real server in front of the real application: what only a socket can show."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import flask
import pytest
import requests

from receiver.server import Server, keep_freed_memory
from shared import codec, pattern
from tests.program import ROOT, Program, Receiver

JPEG = codec.encode(pattern.draw(1, 320, 240), 80)
MAX_BYTES = 1_000_000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver("--max-bytes", str(MAX_BYTES)) as receiver:
        yield receiver


def send(receiver: Receiver, request: bytes) -> bytes:
    """Return the answer's first line."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().strip()


def head(camera: str, *headers: str) -> bytes:
    lines = [f"POST /cameras/{camera}/frames HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


def test_a_chunked_body_is_never_taken_short(receiver: Receiver) -> None:
    def chunks() -> Iterator[bytes]:
        yield JPEG
        yield bytes(2 * MAX_BYTES)

    answer = requests.post(f"{receiver.url}/cameras/c/frames", data=chunks(), timeout=30)

    assert answer.status_code == 411


def test_a_body_shorter_than_it_said_is_no_frame(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as connection:
        connection.sendall(head("short", f"Content-Length: {len(JPEG) + 10}") + JPEG)
        connection.shutdown(socket.SHUT_WR)
        line = connection.makefile("rb").readline()

    assert line.split()[1] == b"400"
    assert requests.get(f"{receiver.url}/cameras/short", timeout=30).status_code == 404


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"\x00\x01\x02\r\n\r\n", id="binary"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="version"),
        pytest.param(head("c", "Content-Length: -5"), id="negative length"),
        pytest.param(head("c", "Content-Length: 5", "Content-Length: 6") + b"12345", id="lengths"),
        pytest.param(head("c", "X" * 20000 + ": 1"), id="long header"),
        pytest.param(head("c", "Content-Length: 3", "Content-Type: a\x00b") + b"abc", id="nul"),
    ],
)
def test_broken_requests_get_a_4xx_and_the_server_lives(
    request_bytes: bytes, receiver: Receiver
) -> None:
    line = send(receiver, request_bytes)

    assert line == b"" or line.split()[1].startswith(b"4")
    assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200


def test_slow_clients_and_idle_connections_do_not_hold_up_the_others(receiver: Receiver) -> None:
    with ExitStack() as stack:
        for number in range(150):
            slow = socket.create_connection(("127.0.0.1", receiver.port), timeout=30)
            stack.enter_context(slow)
            if number % 3:
                slow.sendall(head("slow", f"Content-Length: {len(JPEG)}") + JPEG[:100])

        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(
                    lambda seq: (
                        requests.post(
                            f"{receiver.url}/cameras/quick{seq % 4}/frames", data=JPEG, timeout=30
                        ).status_code
                    ),
                    range(40),
                )
            )

    assert answers == [202] * 40


def faults_of_frames_that_come_and_go() -> int:
    """Return how many pages had to be fetched from the system anew, a frame."""
    import resource

    def come_and_go(times: int) -> None:
        for _ in range(times):
            frames = [b"\xff" * (200_000 + number) for number in range(8)]
            frames.clear()

    come_and_go(5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    come_and_go(50)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 400


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, whose malloc it is for")
def test_memory_that_frames_leave_behind_is_there_for_the_next() -> None:
    def run(*lines: str) -> int:
        program = "; ".join(["from tests.receiver import test_server as t", *lines])
        program += "; print(t.faults_of_frames_that_come_and_go())"
        command = [sys.executable, "-c", program]
        return int(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)

    assert run() > 10
    assert run(f"t.{keep_freed_memory.__name__}()") == 0


class Failing:
    """A service whose thread died of a bug."""

    def __init__(self) -> None:
        self.app: Callable[..., Any] = flask.Flask(__name__)

    def start(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def bug(self) -> BaseException | None:
        return RuntimeError("a bug")


def test_a_bug_ends_the_server_with_1_so_that_its_supervisor_starts_it_anew() -> None:
    with Program("tests.receiver.test_server") as program:
        assert program.wait(seconds=10) == 1


if __name__ == "__main__":
    Server(Failing, host="127.0.0.1", port=0).run()
