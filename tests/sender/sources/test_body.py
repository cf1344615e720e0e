"""The bytes of an answer, as they arrive from a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import requests

from sender.sources.body import Body
from sender.sources.contract import SourceError
from sender.sources.interrupt import Interrupt

PICTURE = bytes(range(256)) * 400
HALF = len(PICTURE) // 2
Opened = Callable[..., tuple[Body, socket.socket]]


@pytest.fixture
def interrupt() -> Interrupt:
    return Interrupt()


@pytest.fixture
def opened(interrupt: Interrupt) -> Iterator[Opened]:
    """Return a function that opens an answer with these headers; it and the camera's end of it."""
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, requests.Session() as session:

        def accept(headers: bytes) -> None:
            end, _ = listener.accept()
            end.recv(1 << 16)
            end.sendall(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n")
            ends.append(end)

        def start(headers: bytes = b"", timeout: float = 5.0) -> tuple[Body, socket.socket]:
            thread = threading.Thread(target=accept, args=(headers,))
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            answer = session.get(url, stream=True, timeout=timeout)
            thread.join()
            return Body(answer, interrupt, name="the camera"), ends[0]

        yield start

        for end in ends:
            end.close()


def test_a_picture_that_comes_in_pieces_is_waited_for_once(opened: Opened) -> None:
    body, end = opened()
    end.sendall(PICTURE[:HALF])
    threading.Timer(0.05, end.sendall, [PICTURE[HALF:]]).start()

    with closing(body):
        assert body.receive(len(PICTURE)) == PICTURE


def test_a_picture_in_chunks_comes_whole_and_waits_for_nothing_behind_it(opened: Opened) -> None:
    body, end = opened(b"Transfer-Encoding: chunked\r\n")
    for at in range(0, len(PICTURE), 10_000):
        piece = PICTURE[at : at + 10_000]
        end.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))

    with closing(body):
        got = b""
        while len(got) < len(PICTURE):
            got += body.receive(len(PICTURE) - len(got))
        assert got == PICTURE


def test_more_than_the_kernel_holds_comes_in_several_pieces(opened: Opened) -> None:
    body, end = opened()
    size = 64 << 20
    threading.Thread(target=end.sendall, args=[bytes(size)]).start()

    with closing(body):
        got = 0
        while got < size:
            got += len(body.receive(size - got))


def test_few_bytes_are_not_gathered(opened: Opened) -> None:
    body, end = opened()
    end.sendall(PICTURE[:HALF])

    with closing(body):
        assert body.receive(HALF) == PICTURE[:HALF]
        end.sendall(b"--")
        assert body.receive(100) == b"--"


def test_the_end_ends_a_wait_for_more(opened: Opened) -> None:
    body, end = opened()
    end.sendall(PICTURE[:HALF])
    end.shutdown(socket.SHUT_WR)

    with closing(body):
        assert body.receive(len(PICTURE)) == PICTURE[:HALF]
        assert body.receive(HALF) == b""


def test_half_a_picture_is_waited_for_no_longer_than_allowed(opened: Opened) -> None:
    body, end = opened(timeout=0.2)
    end.sendall(PICTURE[:HALF])

    with closing(body), pytest.raises(SourceError) as caught:
        body.receive(len(PICTURE))
    assert caught.value.reason == "timeout"


def test_an_interrupt_ends_a_wait_for_more(opened: Opened, interrupt: Interrupt) -> None:
    body, end = opened()
    end.sendall(PICTURE[:HALF])
    threading.Timer(0.05, interrupt.set).start()

    with closing(body), pytest.raises(SourceError) as caught:
        body.receive(len(PICTURE))
    assert caught.value.reason == "interrupted"
