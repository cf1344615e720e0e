"""One connection: which address is taken, and how bytes go out without blocking."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sender.rtsp import line as module
from sender.rtsp.line import Found, Line, look_up
from sender.rtsp.message import Reply
from sender.rtsp.watch import Watch
from sender.sources.contract import SourceError
from sender.sources.interrupt import Interrupt
from tests.sender.doubles import free_port


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch(Interrupt())
    yield made
    made.close()


@pytest.fixture
def line(watch: Watch) -> Iterator[Line]:
    made = Line(watch)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def soon() -> float:
    return time.monotonic() + 5


def found(port: int, host: str = "127.0.0.1") -> Found:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))


def connected(line: Line, server: socket.socket) -> socket.socket:
    line.connect([found(server.getsockname()[1])], tls=None, until=soon())
    return server.accept()[0]


def test_an_address_in_numbers_is_looked_up_on_no_other_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "Thread", None)

    for host in ("127.0.0.1", "::1"):
        ((_, _, _, _, address), *_) = look_up(host, 554, Interrupt(), until=soon())
        assert address[:2] == (host, 554)


@pytest.fixture
def silent_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Have names looked up for ever, until the event is set."""
    real, answered = socket.getaddrinfo, threading.Event()

    def look(*arguments: object, **options: object) -> object:
        if options.get("flags") is None:
            answered.wait(60)
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    yield answered
    answered.set()


def test_a_name_server_that_is_silent_is_given_up(silent_names: threading.Event) -> None:
    with pytest.raises(TimeoutError):
        look_up("localhost", 554, Interrupt(), until=time.monotonic() + 0.05)
    silent_names.set()


def test_a_look_up_is_interrupted(silent_names: threading.Event) -> None:
    interrupt = Interrupt()
    interrupt.set()
    with pytest.raises(SourceError):
        look_up("localhost", 554, interrupt, until=soon())
    silent_names.set()


def test_the_next_address_is_tried_when_one_refuses(line: Line, server: socket.socket) -> None:
    port = server.getsockname()[1]
    line.connect([found(free_port()), found(port)], tls=None, until=soon())

    assert line.is_connected
    assert line.peer_host == line.local_host == "127.0.0.1"


def test_the_last_refusal_is_told(line: Line) -> None:
    with pytest.raises(ConnectionRefusedError):
        line.connect([found(free_port())], tls=None, until=soon())
    with pytest.raises(OSError, match="Cannot assign"):
        line.connect([], tls=None, until=soon())


def test_an_address_that_is_silent_takes_only_its_share(line: Line, server: socket.socket) -> None:
    with socket.socket() as full:
        # Its queue is full, so that a further connection gets no answer at all.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        start = time.monotonic()
        good = found(server.getsockname()[1])
        line.connect([found(port), good], tls=None, until=start + 2.0)
        for sock in waiting:
            sock.close()

    assert 0.9 < time.monotonic() - start < 1.9


def test_what_finds_no_room_goes_when_there_is(
    line: Line, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNSENT_BYTES", 1 << 30)
    sent = bytes(range(256)) * 40_000
    received = bytearray()
    with connected(line, server) as peer:
        line.send(sent)
        was_clear = line.is_clear

        def read() -> None:
            while len(received) < len(sent):
                received.extend(peer.recv(1 << 16))
            peer.sendall(b"RTSP/1.0 200 OK\r\n\r\n")

        thread = threading.Thread(target=read)
        thread.start()
        line.wait(until=soon())
        thread.join()

    assert (was_clear, line.is_clear) == (False, True)
    assert received == sent


def test_what_waits_for_a_server_is_limited(line: Line, server: socket.socket) -> None:
    def send_on() -> None:
        for _ in range(10_000):
            line.send(bytes(10_000))

    with connected(line, server), pytest.raises(ConnectionError, match="does not read"):
        send_on()


def test_the_end_is_told(line: Line, server: socket.socket) -> None:
    connected(line, server).close()

    with pytest.raises(EOFError):
        line.wait(until=soon())


def test_waiting_ends_at_its_moment_even_when_bytes_drip(line: Line, server: socket.socket) -> None:
    with connected(line, server) as peer:
        peer.sendall(b"RTSP/1.0")
        with pytest.raises(TimeoutError):
            line.wait(until=time.monotonic() + 0.05)
        peer.sendall(b" 200 OK\r\n\r\n")
        line.wait(until=soon())

    assert isinstance(line.items[0], Reply)


def test_what_comes_puts_no_moment_off(line: Line, server: socket.socket) -> None:
    with connected(line, server) as peer:
        peer.sendall(b"RTSP/1.0 200 OK\r\n\r\n")
        line.wait(until=soon())
        line.items.clear()
        peer.sendall(b"RTSP/1.0 200 OK\r\n\r\n")
        with pytest.raises(TimeoutError):
            line.wait(until=time.monotonic())


def test_a_goodbye_waits_for_its_answer_past_all_else(line: Line, server: socket.socket) -> None:
    with connected(line, server) as peer:
        peer.sendall(b"$\0\0\1x" * 9 + b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n")
        start = time.monotonic()
        line.hang_up(b"TEARDOWN", cseq=7, seconds=60)

        assert time.monotonic() - start < 30
        assert not line.is_connected
        assert peer.recv(100) == b"TEARDOWN"
        assert peer.recv(100) == b""


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_goodbye_is_short_and_never_raises(
    line: Line, server: socket.socket, is_gone: bool
) -> None:
    with connected(line, server) as peer:
        if is_gone:
            peer.close()
        start = time.monotonic()
        line.hang_up(b"TEARDOWN", cseq=7, seconds=0.1)

        assert time.monotonic() - start < 5
    assert not line.is_connected


def test_what_is_closed_cannot_be_used(line: Line) -> None:
    line.close()
    with pytest.raises(OSError, match="not connected"):
        line.send(b"x")
