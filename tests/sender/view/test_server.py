from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from typing import Any

import pytest
import requests

from sender.view import server as module
from sender.view.server import Server
from tests.sender.view.stage import until


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = f"Hello {environ['REQUEST_METHOD']} {len(environ['wsgi.input'].read())}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def server() -> Iterable[Server]:
    with Server(hello, "127.0.0.1", 0, connections=3) as server:
        yield server


def get(server: Server, **given: Any) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{server.port}/", timeout=30, **given)


def threads() -> int:
    return sum(thread.name == "status connection" for thread in threading.enumerate())


def test_a_request_is_answered(server: Server) -> None:
    answer = get(server)

    assert (answer.status_code, answer.text) == (200, "Hello GET 0")
    assert answer.headers["Server"] == "framepost-sender"


def test_a_body_is_nothing_that_it_waits_for_or_keeps(server: Server) -> None:
    small = requests.post(f"http://127.0.0.1:{server.port}/", b"x" * 1000, timeout=30)
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        client.sendall(b"POST / HTTP/1.0\r\n\r\nand on, and on")
        endless = client.recv(1000)

    assert small.text == "Hello POST 0"
    assert b"200 OK" in endless


def test_who_asks_too_slowly_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ASK", 0.3)
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.05):
                try:
                    client.sendall(b"G")
                except OSError:
                    return

        dripper = threading.Thread(target=drip)
        dripper.start()
        try:
            until(lambda: threads() == 1)
            until(lambda: threads() == 0)
        finally:
            ended.set()
            dripper.join(30)


def test_more_connections_than_there_may_be_are_refused(server: Server) -> None:
    with ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            for _ in range(3)
        ]
        until(lambda: threads() == 3)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            assert client.recv(1000).startswith(b"HTTP/1.0 503")
        idle[0].close()
        until(lambda: threads() == 2)

        assert get(server).ok


def test_a_stop_ends_those_who_hold_a_connection() -> None:
    server = Server(hello, "127.0.0.1", 0, connections=3).start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        until(lambda: threads() == 1)
        started = time.monotonic()
        server.stop()
        assert client.recv(10) == b""

    assert threads() == 0
    assert time.monotonic() - started < 4


def test_a_bug_is_told_and_the_next_request_is_answered(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def buggy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise ZeroDivisionError("a bug")

    with Server(buggy, "127.0.0.1", 0, connections=3) as server:
        assert get(server).status_code == 500
        assert get(server).status_code == 500

    assert "ZeroDivisionError" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_it_listens_on_ipv6_too() -> None:
    with Server(hello, "::1", 0, connections=3) as server:
        assert requests.get(f"http://[::1]:{server.port}/", timeout=30).ok


class Connection:
    """Keeps what is sent, and the time that each piece may take."""

    def __init__(self) -> None:
        self.timeout: float | None = None
        self.sent: list[tuple[bytes, float | None]] = []

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds

    def sendall(self, data: bytes) -> None:
        self.sent.append((bytes(data), self.timeout))


def test_a_large_picture_may_take_as_long_as_its_pieces_are_taken_in() -> None:
    connection, data = Connection(), bytes(range(256)) * 1000

    module._Answer(connection).write(data)  # type: ignore[arg-type]

    assert b"".join(piece for piece, _ in connection.sent) == data
    assert {timeout for _, timeout in connection.sent} == {module._TAKE}
    assert max(len(piece) for piece, _ in connection.sent) == module._PIECE < len(data) / 3
