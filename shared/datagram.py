"""Datagram: the head before each piece of a frame that goes by UDP, see "UDP" in docs/protocol.md.

Every datagram of a frame says where it stands in it and how long the whole is, so that they may
come in any order, and none is needed to understand another.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from shared.errors import FramepostError

_MAGIC = b"FP"
_VERSION = 1
#: Magic, version and kind, parity, stream, seq, part, chunk, length, time; in network order.
_FORM = struct.Struct("!2sBBIIHHII")
HEAD = _FORM.size
#: So many bytes a piece has at least where there are several: what is kept of each costs some too.
LEAST_CHUNK = 128
MOST_PARTS = 0xFFFF
_PARITY, _SEALED = 1, 2
_NUMBERS = 1 << 32

#: garbled: none of ours · version: of another version · claim: says what cannot be, or is too large
#: · size: not as long as it says.
Flaw = Literal["garbled", "version", "claim", "size"]


class BadDatagram(FramepostError):
    """Raised for a datagram that nobody of ours can have sent like that."""

    def __init__(self, message: str, *, reason: Flaw) -> None:
        super().__init__(message)
        self.reason: Flaw = reason


@dataclass(frozen=True, slots=True)
class Cut:
    """How `length` bytes are cut: pieces of `chunk` bytes, the last one shorter.

    The pieces g, g + groups, g + 2 groups ... are a group of at most `parity`, so that what is lost
    in one go is of several groups. Without `parity`, 0, there are none.
    """

    length: int
    chunk: int
    parity: int = 0
    parts: int = field(init=False)
    groups: int = field(init=False)

    def __post_init__(self) -> None:
        parts = -(-self.length // self.chunk)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "groups", -(-parts // self.parity) if self.parity else 0)

    @classmethod
    def even(cls, length: int, room: int, parity: int = 0) -> Cut:
        """Cut into as few pieces of at most `room` bytes as possible, of about the same size.

        Raise ValueError where they are too many.
        """
        parts = max(1, -(-length // room))
        if parts > MOST_PARTS:
            raise ValueError(f"expected at most {MOST_PARTS * room} bytes, got {length}")
        chunk = max(-(-length // parts), min(LEAST_CHUNK, room))
        return cls(length, chunk, parity)

    def size(self, part: int) -> int:
        """Return how many bytes a piece has."""
        return min(self.chunk, self.length - part * self.chunk)

    def members(self, group: int) -> range:
        """Return the pieces of a group."""
        return range(group, self.parts, self.groups)


class Head(NamedTuple):
    """What stands before a piece. `stream` stands for a camera's epoch, see `stream_of`."""

    cut: Cut
    stream: int
    #: The lowest 32 bits of the frame's.
    seq: int
    #: Milliseconds of the sender's clock, the lowest 32 bits.
    time: int
    #: The piece's number, or with `is_parity` the group's.
    part: int = 0
    is_parity: bool = False
    is_sealed: bool = False

    def write_into(self, buffer: bytearray, offset: int, part: int) -> None:
        """Write it as that of piece, or group, `part`."""
        kind = _VERSION << 4 | _PARITY * self.is_parity | _SEALED * self.is_sealed
        cut = self.cut
        _FORM.pack_into(
            *(buffer, offset, _MAGIC, kind, cut.parity, self.stream, self.seq),
            *(part, cut.chunk, cut.length, self.time),
        )


def read_head(datagram: bytes | memoryview, *, max_length: int) -> Head:
    """Return the head of a datagram of a frame of at most `max_length` bytes; raise BadDatagram.

    Nothing is made of what it claims, but looked at.
    """
    if len(datagram) < HEAD:
        raise BadDatagram(f"expected {HEAD} bytes or more, got {len(datagram)}", reason="garbled")
    magic, kind, parity, stream, seq, part, chunk, length, time = _FORM.unpack_from(datagram)
    if magic != _MAGIC:
        raise BadDatagram(f"expected {_MAGIC!r} at its begin, got {magic!r}", reason="garbled")
    if kind >> 4 != _VERSION or kind & 0xF > _PARITY | _SEALED:
        raise BadDatagram(f"expected version {_VERSION}, got kind {kind:#04x}", reason="version")
    cut = _read_cut(length, chunk, parity, max_length)
    is_parity = kind & _PARITY != 0
    count = cut.groups if is_parity else cut.parts
    if part >= count:
        raise BadDatagram(f"expected a piece below {count}, got {part}", reason="claim")
    return Head(cut, stream, seq, time, part, is_parity, kind & _SEALED != 0)


def payload_of(head: Head, datagram: bytes | memoryview, *, behind: int = 0) -> bytes:
    """Return the piece itself, with `behind` bytes after it; raise BadDatagram (size)."""
    expected = head.cut.chunk if head.is_parity else head.cut.size(head.part)
    got = len(datagram) - HEAD - behind
    if got != expected:
        raise BadDatagram(f"expected a piece of {expected} bytes, got {got}", reason="size")
    return bytes(datagram[HEAD : HEAD + expected])


def stream_of(camera: str, epoch: str) -> int:
    """Return what stands for a camera's epoch in 32 bits; the frame itself says both in full."""
    return zlib.crc32(f"{camera}\n{epoch}".encode())


def time_of(seconds: float) -> int:
    """Return Unix seconds as a head has them."""
    return int(seconds * 1000) % _NUMBERS


def ahead(number: int, other: int) -> int:
    """Return by how much `number` is ahead of `other`, below 0 for behind (RFC 1982)."""
    return (number - other + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2


@lru_cache(maxsize=256)
def _read_cut(length: int, chunk: int, parity: int, max_length: int) -> Cut:
    if not 0 < length <= max_length:
        raise BadDatagram(
            f"expected a frame of at most {max_length} bytes, got one of {length}", reason="claim"
        )
    if chunk == 0 or (chunk < LEAST_CHUNK and chunk < length):
        raise BadDatagram(f"expected pieces of {LEAST_CHUNK} bytes, got {chunk}", reason="claim")
    cut = Cut(length, chunk, parity)
    if cut.parts > MOST_PARTS:
        raise BadDatagram(f"expected at most {MOST_PARTS} pieces, got {cut.parts}", reason="claim")
    return cut
