from __future__ import annotations

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
    record = pack(0, frame(0, captured_at=0.0))

    found = unpack(record[HEAD:], "cam1", is_own=False)

    assert found is not None
    assert found.arrived < -1e9  # decades before this machine was started


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
