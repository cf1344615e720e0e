from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from receiver.child.pipe import Pipe, PipeClosed


@pytest.fixture
def ends() -> Iterator[tuple[Pipe, Pipe]]:
    one, other = (Pipe(end, stall=0.2) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_message_arrives_as_it_was_sent(ends: tuple[Pipe, Pipe], size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sender = threading.Thread(target=ends[0].send, args=({"é": [1]}, body))
    sender.start()
    assert ends[1].wait(5)
    header, received = ends[1].receive()
    sender.join()

    assert header == {"é": [1]}
    assert received == body
    assert not ends[1].wait(0)


def test_an_end_lets_the_other_side_still_answer(ends: tuple[Pipe, Pipe]) -> None:
    ends[0].end()
    with pytest.raises(PipeClosed):
        ends[1].receive()
    ends[1].send({"last": True})

    assert ends[0].receive()[0] == {"last": True}


def test_a_pipe_to_nobody_is_closed(ends: tuple[Pipe, Pipe]) -> None:
    ends[1].close()
    with pytest.raises(PipeClosed):
        ends[0].send({}, b"x" * 1_000_000)
    with pytest.raises(PipeClosed):
        ends[0].receive()
    ends[0].end()


@pytest.mark.parametrize(
    "rubbish",
    [
        struct.pack(">II", 5, 0) + b"{",  # stops half-way
        struct.pack(">II", 2, 0) + b"no",
        b"print this\n" * 3,
    ],
)
def test_what_is_no_message_closes_the_pipe(rubbish: bytes) -> None:
    raw, end = socket.socketpair()
    pipe = Pipe(end, stall=0.2)
    with raw:
        raw.sendall(rubbish)
        with pytest.raises(PipeClosed):
            pipe.receive()
    pipe.close()


def test_one_who_does_not_read_is_not_waited_for(ends: tuple[Pipe, Pipe]) -> None:
    with pytest.raises(PipeClosed):
        ends[0].send({}, b"x" * 50_000_000)
