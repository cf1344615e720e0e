from __future__ import annotations

import gc
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.child.pipe import Pipe, PipeClosed
from receiver.region import Region


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
    assert ends[1].wait(30)
    header, received = ends[1].receive()
    sender.join()

    assert header == {"é": [1]}
    assert received == body
    assert not ends[1].wait(0)


@pytest.mark.parametrize("length", [240, 246, 247, 20_000])
def test_a_header_may_be_longer_than_its_block(ends: tuple[Pipe, Pipe], length: int) -> None:
    header = {"text": "é" * length}
    ends[0].send(header, b"body")
    ends[0].send({}, b"next")

    assert ends[1].receive() == (header, b"body")
    assert ends[1].receive() == ({}, b"next")


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


def test_a_region_crosses_as_memory_that_both_sides_see(
    ends: tuple[Pipe, Pipe], tmp_path: Path
) -> None:
    path = tmp_path / "memory"
    path.write_bytes(b"0123456789" * 1000)
    with path.open("r+b") as file:
        ends[0].send({"n": 1}, region=Region(file.fileno(), 5, 7000))
        header, body = ends[1].receive()
        region = header.pop("region")
        seen = region.map()
        file.seek(5)
        file.write(b"new")
        file.flush()

    assert (header, body) == ({"n": 1}, b"")
    assert len(seen) == 7000
    assert bytes(seen[:8]) == b"new89012"
    assert region.read()[:8] == b"new89012"


def test_messages_with_and_without_a_region_leave_no_descriptor_open(
    ends: tuple[Pipe, Pipe], tmp_path: Path
) -> None:
    path = tmp_path / "memory"
    path.write_bytes(bytes(4096))
    with path.open("rb") as file:
        before = len(os.listdir("/proc/self/fd"))
        for number in range(3):
            ends[0].send({"n": number}, region=Region(file.fileno(), 0, 4096))
            header, _ = ends[1].receive()
            assert header["region"].map()[0] == 0
            ends[0].send({}, b"bytes")
            assert ends[1].receive() == ({}, b"bytes")
        del header
        gc.collect()

        assert len(os.listdir("/proc/self/fd")) == before
