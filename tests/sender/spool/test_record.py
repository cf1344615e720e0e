from __future__ import annotations

import json
import time
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.spool.record import HEAD, Head, pack, unpack
from tests.sender.spool.doubles import frame

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_frame_comes_back_as_it_was() -> None:
    stored = replace(frame(7, captured_at=1_700_000_000.123456), trace=TRACE)

    record = pack(2**40, stored)

    head = Head.parse(record)
    assert head is not None
    assert (head.number, head.size) == (2**40, len(record) - HEAD)
    found = unpack(record[HEAD:], "cam1", is_own=True)
    assert found == stored
    assert found.arrived == stored.arrived


def test_the_age_of_another_run_s_frame_is_that_of_its_capture() -> None:
    earliest = time.monotonic() - 100
    record = pack(0, frame(0, captured_at=time.time() - 100))

    found = unpack(record[HEAD:], "cam1", is_own=False)

    assert found is not None
    assert earliest - 1 < found.arrived <= time.monotonic() - 99


def test_a_changed_byte_anywhere_is_noticed() -> None:
    record = pack(7, frame(0))
    for at in range(len(record)):
        changed = record[:at] + bytes([record[at] ^ 0x10]) + record[at + 1 :]
        head = Head.parse(changed)
        if at < HEAD:
            assert head is None
        else:
            assert head is not None
            assert head.crc != zlib.crc32(changed[HEAD:])
    head = Head.parse(record[:HEAD])
    assert head == Head(number=7, size=len(record) - HEAD, crc=zlib.crc32(record[HEAD:]))
    assert Head.parse(record[: HEAD - 1]) is None


def test_a_record_is_no_longer_than_it_must_be() -> None:
    body = pack(7, frame(0))[HEAD:]

    assert b", " not in body[: body.index(b"}")]
    assert b": " not in body[: body.index(b"}")]


@pytest.mark.parametrize(
    ("facts", "width", "height"),
    [
        ({"width": 65535, "height": 1}, 65535, 1),
        ({"width": 65536, "height": -1}, 0, 0),
        ({"width": True, "height": "480"}, 0, 0),
        ({"width": 640.0, "height": None}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_a_side_that_is_none_is_not_known(
    facts: dict[str, object], width: int, height: int
) -> None:
    found = unpack(body_of(facts), "cam1", is_own=True)

    assert found is not None
    assert (found.width, found.height) == (width, height)


@pytest.mark.parametrize("arrived", ["1", 1, None, float("inf"), float("nan")])
def test_a_time_of_arrival_that_is_none_is_that_of_the_capture(arrived: object) -> None:
    earliest = time.monotonic() - 100

    found = unpack(
        body_of({"arrived": arrived, "X-Timestamp": str(time.time() - 100)}), "cam1", is_own=True
    )

    assert found is not None
    assert earliest - 1 < found.arrived <= time.monotonic() - 99


@pytest.mark.parametrize("missing", ["X-Frame-Epoch", "X-Frame-Seq", "X-Timestamp", "picture"])
def test_a_frame_of_which_something_is_missing_is_none(missing: str) -> None:
    picture = b"" if missing == "picture" else b"jpeg"

    assert unpack(body_of({missing: None}, picture), "cam1", is_own=True) is None
    assert unpack(b"", "cam1", is_own=True) is None
    assert unpack(b"\x00\x00", "cam1", is_own=True) is None


def body_of(facts: dict[str, object], picture: bytes = b"jpeg") -> bytes:
    """Return a body with these facts and all that a frame needs."""
    known = {"X-Frame-Epoch": "e", "X-Frame-Seq": "1", "X-Timestamp": "1.0"}
    envelope = json.dumps(known | facts).encode()
    return len(envelope).to_bytes(2, "big") + envelope + picture


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_none(data: bytes) -> None:
    Head.parse(data)
    unpack(data, "cam1", is_own=False)


@pytest.mark.parametrize(
    "envelope",
    [
        b"[]",
        b"{",
        b"{}",
        b"[" * 5000,
        b'{"X-Frame-Epoch":"e","X-Frame-Seq":"-1","X-Timestamp":"1"}',
        b'{"X-Frame-Epoch":"a\\r\\nHost: b","X-Frame-Seq":"1","X-Timestamp":"1"}',
        b'{"X-Frame-Epoch":7,"X-Frame-Seq":"1","X-Timestamp":"1"}',
    ],
)
def test_an_envelope_that_could_not_be_posted_is_none(envelope: bytes) -> None:
    assert (
        unpack(len(envelope).to_bytes(2, "big") + envelope + b"jpeg", "cam1", is_own=True) is None
    )
