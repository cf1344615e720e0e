"""Connections of a real port, with a clock of the test's own."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from receiver.connections import LEAST_BYTES, Connections

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux shows a process its sockets"
)


class Port:
    """Listens, accepts, and looks after what came; in one thread."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.number = self._listener.getsockname()[1]
        self.now = 100.0
        self.connections = Connections(self.number, patience=60, clock=lambda: self.now)

    def connect(self, sent: bytes = b"POST") -> tuple[socket.socket, socket.socket]:
        """Return the client's end and the server's of a new connection, on which `sent` came."""
        client = socket.create_connection(("127.0.0.1", self.number))
        server, _ = self._listener.accept()
        for each in (self._stack.enter_context(client), self._stack.enter_context(server)):
            each.settimeout(30)
        client.sendall(sent)
        assert not sent or server.recv(len(sent), socket.MSG_WAITALL) == sent
        return client, server

    def pass_by(self, seconds: float) -> int:
        """Look every 10 s for so many seconds; return how many connections were ended."""
        ended = self.connections.look()
        for _ in range(int(seconds / 10)):
            self.now += 10
            ended += self.connections.look()
        return ended


@pytest.fixture
def port() -> Iterator[Port]:
    with ExitStack() as stack:
        yield Port(stack)


def test_who_sends_half_a_body_and_no_more_is_ended_and_can_still_be_answered(port: Port) -> None:
    client, server = port.connect()

    assert port.pass_by(50) == 0
    assert port.pass_by(10) == 1
    assert server.recv(1) == b""
    server.sendall(b"400")
    assert client.recv(3) == b"400"


def test_a_byte_now_and_then_is_as_good_as_none(port: Port) -> None:
    client, server = port.connect()
    for _ in range(6):
        client.sendall(b"x" * 100)
        assert server.recv(100, socket.MSG_WAITALL)
        assert port.pass_by(0) == 0
        port.now += 10

    assert port.pass_by(0) == 1


def test_a_body_that_comes_slowly_but_comes_is_waited_for(port: Port) -> None:
    client, server = port.connect()
    for _ in range(20):
        client.sendall(bytes(LEAST_BYTES))
        assert server.recv(LEAST_BYTES, socket.MSG_WAITALL)
        assert port.pass_by(30) == 0


def test_who_sends_nothing_and_reads_is_let_be(port: Port) -> None:
    client, server = port.connect()
    for _ in range(20):
        server.sendall(b":\n\n")
        assert client.recv(3, socket.MSG_WAITALL) == b":\n\n"
        assert port.pass_by(30) == 0


def test_who_never_reads_is_ended(port: Port) -> None:
    _, server = port.connect()
    server.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            server.send(bytes(1 << 20))
    server.settimeout(30)

    assert port.pass_by(70) == 1
    port.pass_by(10)
    with pytest.raises(BrokenPipeError):
        server.send(b"x")


def test_a_connection_that_nobody_used_is_ended_and_not_told_of(port: Port) -> None:
    _, server = port.connect(b"")

    assert port.pass_by(70) == 0
    assert server.recv(1) == b""


def test_other_ports_connections_are_none_of_its_own(port: Port) -> None:
    with ExitStack() as stack:
        other = Port(stack)
        client, server = other.connect()

        assert port.pass_by(100) == 0
        client.sendall(b"on")
        assert server.recv(2) == b"on"


def test_what_is_gone_is_forgotten(port: Port) -> None:
    for client, server in [port.connect() for _ in range(20)]:
        port.connections.look()
        client.close()
        server.close()
    port.connections.look()

    assert len(port.connections._last) == 0
