"""RTP packets (RFC 3550, 5.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FIXED = struct.Struct(">BBHII")
_VERSION = 2


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet: RFC 3550, 5.1, without padding, CSRCs and header extension."""

    payload_type: int
    marker: bool
    #: 16 bits; counts packets.
    seq: int
    #: 32 bits, in units of the track's clock rate.
    timestamp: int
    ssrc: int
    #: May be empty: some senders keep a path open that way.
    payload: bytes
    #: Monotonic seconds: when the packet had been read.
    arrived: float

    @classmethod
    def parse(cls, data: bytes, arrived: float) -> RtpPacket | None:
        """Read `data`, one whole packet that came at `arrived`; None where it is not RTP."""
        if len(data) < _FIXED.size:
            return None
        flags, kind, seq, timestamp, ssrc = _FIXED.unpack_from(data)
        if flags >> 6 != _VERSION:
            return None
        start, end = _FIXED.size + 4 * (flags & 0x0F), len(data)
        if flags & 0x10:
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if flags & 0x20:
            padding = data[-1]
            if padding == 0:
                return None
            end -= padding
        if start > end:
            return None
        return cls(kind & 0x7F, kind >= 0x80, seq, timestamp, ssrc, data[start:end], arrived)
