"""Read a JPEG's structure without decoding it, so that a bad one costs nothing.

Marker codes: ITU-T T.81, table B.1. A decoder finds neither truncation (versions differ) nor the
cost of a crafted header before it pays for it, hence this walk: size, end marker, number of scans.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from shared.errors import FrameError

#: A decoder pays for each scan of a progressive picture; real encoders write about ten.
MAX_SCANS = 64
#: 8K, as cameras sell it; a 691-byte file may claim 65535 x 65535.
MAX_PIXELS = 7680 * 4320
MAX_SIDE = 16384

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_SIZED = {0xC0, 0xC1, 0xC2}  # baseline, extended sequential, progressive; all Huffman-coded
_UNSIZED = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
#: In entropy-coded data 0xFF is followed by 0x00 or a restart marker; anything else is a marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
#: Between segments any number of 0xFF may stand before one; to search for this is 20 times slower.
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the walk found. `end` is the offset just behind the end marker."""

    width: int
    height: int
    components: int
    scans: int
    end: int


def read_header(data: bytes) -> JpegHeader:
    """Walk the markers of `data`; raise FrameError (415, 422) unless it is a whole, sane JPEG."""
    if not data.startswith(b"\xff\xd8"):
        raise FrameError("image: expected a JPEG (FF D8 ...)", status=415, reason="format")
    size: tuple[int, int, int] | None = None
    scans = 0
    at = 2
    while True:
        found = _MARKER.match(data, at) if scans == 0 else _NEXT_MARKER.search(data, at)
        if found is None:
            raise _truncated(data)
        at = found.end()
        marker = data[at - 1]
        if marker == _EOI:
            break
        if marker == _SOI or marker == 0x01:
            raise FrameError("image: a JPEG marker is out of place", status=422, reason="corrupt")
        if at + 2 > len(data):
            raise _truncated(data)
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise _truncated(data)
        if marker in _SIZED:
            if size is not None or length < 8:
                raise FrameError("image: bad JPEG frame header", status=422, reason="corrupt")
            size = _read_size(data, at)
        elif marker in _UNSIZED:
            raise FrameError(
                "image: this kind of JPEG (lossless or arithmetic) is not taken",
                status=415,
                reason="format",
            )
        elif marker == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise FrameError(
                    f"image: expected at most {MAX_SCANS} scans", status=422, reason="scans"
                )
        at += length
    if size is None or scans == 0:
        raise FrameError("image: a JPEG without a picture in it", status=422, reason="corrupt")
    return JpegHeader(*size, scans=scans, end=at)


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raise FrameError (422) unless width × height is a size that we decode."""
    if width < 1 or height < 1 or width > MAX_SIDE or height > MAX_SIDE:
        raise FrameError(
            f"image: expected sides from 1 to {MAX_SIDE} pixels, got {width}x{height}",
            status=422,
            reason="pixels",
        )
    if width * height > max_pixels:
        raise FrameError(
            f"image: expected at most {max_pixels} pixels, got {width}x{height}",
            status=422,
            reason="pixels",
        )


def _read_size(data: bytes, at: int) -> tuple[int, int, int]:
    precision, height, width, components = struct.unpack_from(">BHHB", data, at + 2)
    if precision != 8 or components not in (1, 3):
        raise FrameError(
            f"image: expected 8 bits in 1 or 3 components, got {precision} in {components}",
            status=415,
            reason="format",
        )
    check_size(width, height)
    return width, height, components


def _truncated(data: bytes) -> FrameError:
    return FrameError(
        f"image: the JPEG is cut off; {len(data)} bytes came without an end marker",
        status=422,
        reason="truncated",
    )
