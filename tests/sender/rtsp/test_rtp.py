"""RTP packets as they come from the wire."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.rtp import RtpPacket


def wire(payload: bytes, *, flags: int = 0x80, kind: int = 96, between: bytes = b"") -> bytes:
    return struct.pack(">BBHII", flags, kind, 7, 1000, 42) + between + payload


def test_a_packet_gives_its_fields() -> None:
    assert RtpPacket.parse(wire(b"hello", kind=0x80 | 97), 1.5) == RtpPacket(
        payload_type=97,
        marker=True,
        seq=7,
        timestamp=1000,
        ssrc=42,
        payload=b"hello",
        arrived=1.5,
    )


@pytest.mark.parametrize(
    ("flags", "between", "behind"),
    [
        pytest.param(0x83, b"\0" * 12, b"", id="contributing sources"),
        pytest.param(0x90, b"\xbe\xde\x00\x02" + b"x" * 8, b"", id="header extension"),
        pytest.param(0x90, b"\xbe\xde\x00\x00", b"", id="empty extension"),
        pytest.param(0xA0, b"", b"\0\0\x03", id="padding"),
        pytest.param(0xB1, b"\0" * 4 + b"\0\0\0\1" + b"x" * 4, b"\x01", id="all of them"),
    ],
)
def test_what_surrounds_the_payload_is_left_out(flags: int, between: bytes, behind: bytes) -> None:
    parsed = RtpPacket.parse(wire(b"hello" + behind, flags=flags, between=between), 0.0)

    assert parsed is not None
    assert parsed.payload == b"hello"


def test_a_packet_may_be_empty() -> None:
    parsed = RtpPacket.parse(wire(b""), 0.0)

    assert parsed is not None
    assert parsed.payload == b""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(wire(b"")[:11], id="half a header"),
        pytest.param(wire(b"hello", flags=0x40), id="version 1"),
        pytest.param(wire(b"", flags=0x8F), id="contributing sources missing"),
        pytest.param(wire(b"\0\0", flags=0x90), id="extension header missing"),
        pytest.param(wire(b"\0\0\0\1", flags=0x90), id="extension missing"),
        pytest.param(wire(b"hello\0", flags=0xA0), id="padding of nothing"),
        pytest.param(wire(b"\0\3", flags=0xA0), id="padding that is longer"),
    ],
)
def test_what_is_not_rtp_is_told_apart(data: bytes) -> None:
    assert RtpPacket.parse(data, 0.0) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_rtp_or_not(data: bytes) -> None:
    parsed = RtpPacket.parse(data, 0.0)

    assert parsed is None or data.find(parsed.payload) >= 0
