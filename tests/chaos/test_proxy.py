"""Each thing that the proxy is told to do to a line is what the two ends see."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.chaos.proxy import ChaosProxy
from tests.chaos.toxics import Bandwidth, Break, Flow, HangUp, Latency, Slicer, Stall, Toxic
from tests.receiver.bench import wait_until
from tests.sender.doubles import RawServer, free_port

#: For what a busy machine may take long over.
PATIENCE = 30.0


@contextmanager
def through(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def read(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := sock.recv(count - len(data))):
        data += more
    return data


def echo(sock: socket.socket, _number: int) -> None:
    sock.settimeout(PATIENCE)
    while data := sock.recv(1 << 16):
        sock.sendall(data)


class Taker:
    """A server that only takes, and keeps what came and how it ended."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.end: BaseException | None = None
        self.ended = False

    def __call__(self, sock: socket.socket, _number: int) -> None:
        sock.settimeout(PATIENCE)
        try:
            while data := sock.recv(1 << 16):
                self.pieces.append(data)
        except OSError as exc:
            self.end = exc
        finally:
            self.ended = True

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


NOISE = bytes(i * 7919 % 251 for i in range(100_000))


@pytest.mark.parametrize(
    "toxics",
    [
        [],
        [Latency(0.002, 0.002)],
        [Bandwidth(10_000_000)],
        [Slicer(1000)],
        [Slicer(3000), Latency(0.001, 0.001), Bandwidth(10_000_000)],
    ],
)
def test_what_passes_is_whole_and_in_order(toxics: list[Toxic]) -> None:
    with RawServer(echo) as server, ChaosProxy(server.port, up=toxics, down=toxics) as proxy:
        got = b""
        with through(proxy.port) as sock:
            for start in range(0, len(NOISE), 10_000):
                sock.sendall(NOISE[start : start + 10_000])
                got += read(sock, 10_000)
            sock.shutdown(socket.SHUT_WR)
            assert read(sock, 1) == b""  # the end passes too, and comes back
        wait_until("the end of it", lambda: proxy.connections == 0, PATIENCE)

    assert got == NOISE


def test_a_latency_holds_up_each_way_and_not_the_rate() -> None:
    with (
        RawServer(echo) as server,
        ChaosProxy(server.port, up=[Latency(0.1, 0.02)], down=[Latency(0.1, 0.02)]) as proxy,
        through(proxy.port) as sock,
    ):
        started = time.monotonic()
        for number in range(10):
            sock.sendall(bytes([number]) * 1000)
        assert read(sock, 10_000) == b"".join(bytes([number]) * 1000 for number in range(10))
        took = time.monotonic() - started

    assert 0.16 <= took < 1.6  # one after the other would be 1.6 s at least


def test_a_bandwidth_is_kept_by_all_connections_together() -> None:
    taker = Taker()
    with RawServer(taker) as server:
        line = Bandwidth(200_000)
        with (
            ChaosProxy(server.port, up=[line]) as proxy,
            through(proxy.port) as one,
            through(proxy.port) as two,
        ):
            started = time.monotonic()
            one.sendall(NOISE[:40_000])
            two.sendall(NOISE[:40_000])
            wait_until("all of it", lambda: len(taker.data) == 80_000, PATIENCE)
            took = time.monotonic() - started

    assert took >= 0.39


def test_what_waits_in_the_proxy_is_bounded() -> None:
    with RawServer(echo) as server, ChaosProxy(server.port) as proxy, through(proxy.port) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        proxy.black_hole()
        sock.settimeout(0.3)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 << 20:
                sent += sock.send(bytes(10_000))

    assert sent < 1 << 20


def test_a_slicer_sends_piece_by_piece() -> None:
    taker = Taker()
    with (
        RawServer(taker) as server,
        ChaosProxy(server.port, up=[Slicer(10, 0.02)]) as proxy,
        through(proxy.port) as sock,
    ):
        sock.sendall(NOISE[:100])
        wait_until("all of it", lambda: len(taker.data) == 100, PATIENCE)

    assert taker.data == NOISE[:100]
    assert len(taker.pieces) >= 3  # ten, but a busy machine may read two at once


@pytest.mark.parametrize("at", [1, 17, 50])
def test_a_reset_comes_at_its_byte_of_the_request_at_both_ends(at: int) -> None:
    taker = Taker()
    with (
        RawServer(taker) as server,
        ChaosProxy(server.port, up=[Break(at)]) as proxy,
        through(proxy.port) as sock,
    ):
        sock.sendall(NOISE[:50])
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        wait_until("the server's end", lambda: taker.ended, PATIENCE)

    assert taker.data == NOISE[:at]
    assert isinstance(taker.end, ConnectionResetError)


def test_a_reset_comes_at_its_byte_of_the_reply() -> None:
    with (
        RawServer(echo) as server,
        ChaosProxy(server.port, down=[Break(5)]) as proxy,
        through(proxy.port) as sock,
    ):
        sock.sendall(NOISE[:50])
        with pytest.raises(ConnectionResetError):
            read(sock, 50)


def test_a_break_can_be_for_the_first_connections_only_and_a_mere_close() -> None:
    with (
        RawServer(echo) as server,
        ChaosProxy(server.port, up=[Break(0, how=HangUp, times=2)]) as proxy,
    ):
        answers = []
        for _ in range(4):
            with through(proxy.port) as sock:
                sock.sendall(b"hello")
                answers.append(read(sock, 5))

    assert answers == [b"", b"", b"hello", b"hello"]


def test_a_stall_lets_its_bytes_through_and_keeps_the_connection() -> None:
    taker = Taker()
    with (
        RawServer(taker) as server,
        ChaosProxy(server.port, up=[Stall(30)]) as proxy,
        through(proxy.port) as sock,
    ):
        sock.sendall(NOISE[:50])
        sock.sendall(NOISE[:50])
        wait_until("the bytes", lambda: len(taker.data) == 30, PATIENCE)
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        assert not taker.ended

    assert taker.data == NOISE[:30]


def test_a_black_hole_takes_connections_and_gives_all_back_when_it_ends() -> None:
    with RawServer(echo) as server, ChaosProxy(server.port) as proxy, through(proxy.port) as old:
        old.sendall(b"one")
        assert read(old, 3) == b"one"
        proxy.black_hole()
        with through(proxy.port) as new:
            for sock in (old, new):
                sock.sendall(b"two")
                sock.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    sock.recv(1)
            assert server.connections == 1

            proxy.clear()

            for sock in (old, new):
                sock.settimeout(PATIENCE)
                assert read(sock, 3) == b"two"


def test_refusing_resets_what_is_open_and_ends_on_the_same_port() -> None:
    with RawServer(echo) as server, ChaosProxy(server.port) as proxy:
        with through(proxy.port) as sock:
            sock.sendall(b"one")
            assert read(sock, 3) == b"one"
            proxy.refuse()
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        with pytest.raises(ConnectionRefusedError), through(proxy.port):
            pass

        proxy.clear()

        with through(proxy.port) as sock:
            sock.sendall(b"two")
            assert read(sock, 3) == b"two"


def test_a_server_that_is_away_resets_its_clients() -> None:
    with (
        ChaosProxy(free_port()) as proxy,
        through(proxy.port) as sock,
        pytest.raises(ConnectionResetError),
    ):
        sock.recv(1)


class Dice:
    """A toxic that does nothing, and keeps what chance each connection has."""

    def __init__(self) -> None:
        self.thrown: list[float] = []

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        self.thrown.append(rng.random())
        async for data in flow:
            yield data


def test_the_same_seed_gives_each_connection_the_same_chance() -> None:
    def throw(seed: int) -> list[float]:
        dice = Dice()
        with RawServer(echo) as server, ChaosProxy(server.port, up=[dice], seed=seed) as proxy:
            for _ in range(3):
                with through(proxy.port) as sock:
                    sock.sendall(b"x")
                    assert read(sock, 1) == b"x"
        return dice.thrown

    first = throw(1)
    assert len(set(first)) == 3
    assert throw(1) == first
    assert throw(2) != first
