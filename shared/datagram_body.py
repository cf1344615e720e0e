"""Body: a frame as one piece of bytes, before it is cut for UDP and after it was joined.

CRC-32, the length of the camera's name, that of the envelope, both themselves, and the picture. The
CRC is that of stream and seq, as they stand in the heads, and of all that follows it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from shared.errors import FrameError
from shared.redis_envelope import MAX_ENVELOPE

_FORM = struct.Struct("!IBH")
_PLACE = struct.Struct("!II")
_CRC = 4
#: What a body has at most besides its picture.
OVERHEAD = _FORM.size + 64 + MAX_ENVELOPE


@dataclass(frozen=True, slots=True)
class Body:
    """`envelope` as `redis_envelope` has it."""

    camera: str
    envelope: bytes
    picture: bytes

    def pack(self, *, stream: int, seq: int) -> bytes:
        camera = self.camera.encode()
        head = _FORM.pack(0, len(camera), len(self.envelope))[_CRC:] + camera + self.envelope
        crc = zlib.crc32(self.picture, zlib.crc32(head, _begin(stream, seq)))
        return b"".join((crc.to_bytes(_CRC, "big"), head, self.picture))


def unpack(data: bytes, *, stream: int, seq: int) -> Body:
    """Raise FrameError (422, checksum) for bytes that are not as they were packed."""
    mine = zlib.crc32(memoryview(data)[_CRC:], _begin(stream, seq))
    crc, name, envelope = _FORM.unpack_from(data) if len(data) >= _FORM.size else (-1, 0, 0)
    begin = _FORM.size + name + envelope
    if mine != crc or not _FORM.size <= begin <= len(data):
        raise FrameError(
            f"frame: the {len(data)} bytes that came have another CRC-32",
            status=422,
            reason="checksum",
        )
    camera = data[_FORM.size : _FORM.size + name].decode("utf-8", "replace")
    return Body(camera, data[_FORM.size + name : begin], data[begin:])


def _begin(stream: int, seq: int) -> int:
    return zlib.crc32(_PLACE.pack(stream, seq))
