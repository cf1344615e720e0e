"""Record: a frame as it lies in the spool. Numbers are big-endian.

    magic (4 bytes) · number (8) · size of the body (4) · CRC-32 of the body (4) ·
    CRC-32 of the 20 bytes before (4)
    body: size of the envelope (2) · the envelope, JSON · the picture

The number counts the frames of this spool, in all its life; so whoever misses records knows how
many. In the envelope stand the headers that the frame is posted with, and what else is known of it.
"""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from dataclasses import dataclass
from typing import Any

from shared import wire
from shared.errors import FrameError
from shared.frame import EncodedFrame

MAGIC = b"\xf5Fp1"
_HEAD = struct.Struct(">4sQIII")
_CHECKED = _HEAD.size - 4
_SIZE = struct.Struct(">H")
#: Bytes of a head.
HEAD = _HEAD.size
#: The most bytes that a body can have.
MAX_BODY = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in front of a body."""

    number: int
    #: Bytes of the body, and their CRC-32.
    size: int
    crc: int

    @classmethod
    def parse(cls, data: bytes) -> Head | None:
        """Read the head that `data` begins with; None where it is none."""
        if len(data) < HEAD or not data.startswith(MAGIC):
            return None
        _, number, size, crc, own = _HEAD.unpack_from(data)
        return cls(number, size, crc) if zlib.crc32(data[:_CHECKED]) == own else None


def pack(number: int, frame: EncodedFrame) -> bytes:
    """Return the record of `frame`. Its `arrived` means something to this process only."""
    facts = wire.to_headers(frame)
    del facts[wire.SENT_AT]
    more = {"width": frame.width, "height": frame.height, "arrived": frame.arrived}
    envelope = json.dumps(facts | more, separators=(",", ":")).encode()
    size = _SIZE.pack(len(envelope))
    crc = zlib.crc32(frame.data, zlib.crc32(envelope, zlib.crc32(size)))
    length = len(size) + len(envelope) + len(frame.data)
    head = _HEAD.pack(MAGIC, number, length, crc, 0)[:_CHECKED]
    return b"".join((head, struct.pack(">I", zlib.crc32(head)), size, envelope, frame.data))


def unpack(body: bytes, camera: str, *, is_own: bool) -> EncodedFrame | None:
    """Return the frame in a body; None where it is none that could be posted.

    `is_own`: this process wrote it, so its monotonic time of capture counts, whatever was done to
    the clock meanwhile.
    """
    if len(body) < _SIZE.size:
        return None
    begin = _SIZE.size + _SIZE.unpack_from(body)[0]
    facts = _read_object(body[_SIZE.size : begin])
    headers = {name: value for name, value in facts.items() if isinstance(value, str)}
    try:
        envelope = wire.from_headers(headers)
    except FrameError:
        return None
    epoch, seq, captured_at = envelope.epoch, envelope.seq, envelope.captured_at
    if epoch is None or seq is None or captured_at is None or begin >= len(body):
        return None
    arrived = facts.get("arrived")
    if not is_own or not isinstance(arrived, float) or not math.isfinite(arrived):
        arrived = time.monotonic() - (time.time() - captured_at)
    return EncodedFrame(
        camera=camera,
        epoch=epoch,
        seq=seq,
        captured_at=captured_at,
        data=body[begin:],
        width=_read_side(facts.get("width")),
        height=_read_side(facts.get("height")),
        arrived=arrived,
        trace=envelope.trace,
    )


def _read_object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_side(value: object) -> int:
    return value if type(value) is int and 0 <= value < 2**16 else 0
