"""Read a PNG's structure without decoding it, and find what would cost more than its pixels.

PNG specification, third edition: chunks 5.3, IHDR 11.2.1, the packed pixels 10.1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import FrameError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Encoders write pieces of 8 kB and more.
_MAX_CHUNKS = 10_000
#: What a decoder unpacks besides the pixels, each up to 8 MB of some kB.
_PACKED = frozenset({b"zTXt", b"iTXt", b"iCCP"})
_MAX_PACKED = 16
#: Samples of a pixel, by colour type.
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What the walk found. `end` is the offset just behind the last chunk."""

    width: int
    height: int
    end: int


def read_header(data: bytes) -> PngHeader:
    """Walk the chunks of `data`; raise FrameError (422) unless it is a whole, sane PNG."""
    if len(data) < 45 or data[8:16] != b"\x00\x00\x00\rIHDR":
        raise FrameError("image: a PNG without a header", status=422, reason="corrupt")
    width, height = struct.unpack_from(">II", data, 16)
    packed = 0
    for number, (kind, _, end) in enumerate(_chunks(data)):
        if kind == b"IEND":
            return PngHeader(width, height, end)
        packed += kind in _PACKED
        if packed > _MAX_PACKED or number > _MAX_CHUNKS:
            raise FrameError(
                f"image: expected a PNG of at most {_MAX_CHUNKS} chunks, "
                f"{_MAX_PACKED} of them packed texts or profiles",
                status=422,
                reason="segments",
            )
    raise FrameError("image: the PNG is cut off", status=422, reason="truncated")


def check_pixels(data: bytes) -> None:
    """Raise FrameError (422) where more pixels are packed into `data` than it has.

    `read_header` must have taken it. A decoder unpacks them all: 4 MB may cost ten seconds.
    """
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    row = -(-width * _SAMPLES.get(colour, 4) * depth // 8) + 1
    left = 2 * row * height + _PIECE  # an interlaced picture has more, and shorter, rows
    unpacker = zlib.decompressobj()
    for kind, body, end in _chunks(data):
        if kind != b"IDAT":
            continue
        packed = data[body : end - 4]
        while packed and not unpacker.eof:
            try:
                left -= len(unpacker.decompress(packed, _PIECE))
            except zlib.error:
                return  # the decoder says it better
            packed = unpacker.unconsumed_tail
            if left < 0:
                raise FrameError(
                    f"image: more is packed into the PNG than {width}x{height} pixels",
                    status=422,
                    reason="pixels",
                )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each whole chunk's kind, and where its data begins and the chunk ends."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if end > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, end
        at = end
