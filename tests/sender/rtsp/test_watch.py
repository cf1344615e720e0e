"""Waiting for sockets, until a moment or an interrupt."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sender.rtsp.watch import READABLE, WRITABLE, Watch
from sender.sources.contract import SourceError
from sender.sources.interrupt import Interrupt

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def interrupt() -> Interrupt:
    return Interrupt()


@pytest.fixture
def watch(interrupt: Interrupt) -> Iterator[Watch]:
    made = Watch(interrupt)
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_socket_that_is_ready_is_found(watch: Watch, pair: Pair) -> None:
    one, other = pair
    watch.add(one, READABLE)
    assert watch.wait(time.monotonic() - 1) == {}

    other.send(b"x")

    assert watch.wait(time.monotonic() + 5) == {one: READABLE}
    watch.change(one, READABLE | WRITABLE)
    assert watch.wait(time.monotonic() + 5) == {one: READABLE | WRITABLE}
    watch.remove(one)
    watch.remove(one)
    assert watch.wait(time.monotonic()) == {}


def test_it_ends_at_its_moment(watch: Watch, pair: Pair) -> None:
    watch.add(pair[0], READABLE)
    start = time.monotonic()

    assert watch.wait(start + 0.05) == {}
    assert 0.04 < time.monotonic() - start < 5


def test_an_interrupt_ends_it_and_every_later_one(watch: Watch, interrupt: Interrupt) -> None:
    timer = threading.Timer(0.05, interrupt.set)
    timer.start()
    start = time.monotonic()
    for _ in range(3):
        with pytest.raises(SourceError, match="told to stop"):
            watch.wait(start + 60)

    timer.join()
    assert time.monotonic() - start < 30


def test_any_number_of_interrupts_is_harmless(watch: Watch, interrupt: Interrupt) -> None:
    for _ in range(2000):
        interrupt.clear()
        with interrupt.ending(watch._ring):
            interrupt.set()
    interrupt.clear()

    # It rang; that is no socket of anybody's.
    watch.add((one := socket.socketpair())[0], WRITABLE)
    assert one[0] in watch.wait(time.monotonic() + 1)
    watch.remove(one[0])
    for sock in one:
        sock.close()
