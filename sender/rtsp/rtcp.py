"""RTCP (RFC 3550, 6): sender reports read, receiver reports written, and the camera's own clock."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _BYE = 200, 201, 202, 203
_HEAD = struct.Struct(">BBH")
_SENDER_INFO = struct.Struct(">IQI")
_BLOCK = struct.Struct(">IIIIII")
_CNAME = 1

#: Seconds between NTP's epoch and Unix's.
_NTP_OFFSET = 2_208_988_800
_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class SenderReport:
    """What moment of the sender's wall clock is what moment of its RTP clock (6.4.1)."""

    ssrc: int
    #: Seconds since 1900 times 2^32, 64 bits; without a wall clock 0, or what the sender counts.
    ntp: int
    #: 32 bits.
    timestamp: int


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources are gone (6.6)."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one sender (6.4.1)."""

    ssrc: int
    #: Since the report before, in 256ths.
    fraction_lost: int
    #: Since the first packet; below zero with more duplicates than losses.
    lost: int
    #: Its number, with how often that wrapped in the upper 16 bits.
    highest_seq: int
    #: In units of the RTP clock.
    jitter: int
    #: The middle 32 bits of the newest sender report's NTP time; 0 before one.
    last_report: int
    #: Since that came, in 65536ths of a second.
    delay: int


def read(data: bytes) -> list[SenderReport | Bye]:
    """Return what concerns us in a compound packet; it ends where it is malformed."""
    found: list[SenderReport | Bye] = []
    at = 0
    while len(data) - at >= _HEAD.size:
        first, kind, words = _HEAD.unpack_from(data, at)
        body, end = at + _HEAD.size, at + 4 * (words + 1)
        if first >> 6 != 2 or end > len(data):
            break
        if kind == _SENDER_REPORT and end - body >= _SENDER_INFO.size:
            found.append(SenderReport(*_SENDER_INFO.unpack_from(data, body)))
        elif kind == _BYE:
            count = min(first & 0x1F, (end - body) // 4)
            found.append(Bye(struct.unpack_from(f">{count}I", data, body)))
        at = end
    return found


def write_receiver_report(ssrc: int, block: ReportBlock | None, *, cname: str) -> bytes:
    """Return a receiver report and the description that must follow (6.1, 6.4.2, 6.5).

    `ssrc` is the receiver's own; `cname` its name, ASCII, at most 255 characters. Without a block
    it only says that somebody listens.
    """
    blocks = b""
    if block is not None:
        blocks = _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFFFFFF,
            block.highest_seq & _32_BITS,
            min(block.jitter, _32_BITS),
            block.last_report,
            min(block.delay, _32_BITS),
        )
    report = _packet(_RECEIVER_REPORT, block is not None, struct.pack(">I", ssrc) + blocks)
    name = cname.encode("ascii")
    item = struct.pack(">IBB", ssrc, _CNAME, len(name)) + name
    # A zero ends the list of items, and more of them fill the last word.
    return report + _packet(_DESCRIPTION, 1, item + bytes(4 - len(item) % 4))


class SenderClock:
    """The sender's own Unix time of each RTP timestamp, by its newest report. For one thread."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._known: tuple[int, float] | None = None
        #: Whose reports they are; None before one.
        self.ssrc: int | None = None

    def put(self, report: SenderReport) -> None:
        """Go by `report`, unless it tells no wall-clock time.

        That is so with 0, and while the highest bit is 0: then it is the time since the sender
        started (RFC 3550, 6.4.1; so it stays until NTP's seconds wrap in 2036).
        """
        if report.ntp >> 63:
            self._known = (report.timestamp, report.ntp / 2**32 - _NTP_OFFSET)
            self.ssrc = report.ssrc

    def forget(self) -> None:
        self._known = self.ssrc = None

    def unix(self, timestamp: int) -> float | None:
        """Return the time of `timestamp`, within half a wrap of the report's; None before one."""
        if self._known is None:
            return None
        origin, unix = self._known
        ticks = (timestamp - origin + 0x80000000 & _32_BITS) - 0x80000000
        return unix + ticks / self._clock_rate


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
