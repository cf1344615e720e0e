"""Read a JPEG's structure without decoding it, so that a bad one costs nothing.

Marker codes: ITU-T T.81, table B.1. A decoder finds neither truncation (versions differ) nor the
cost of a crafted header before it pays for it, hence this walk: size, end marker, number of scans.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from shared.errors import FrameError

#: A decoder pays for each scan of a progressive picture; real encoders write about ten.
MAX_SCANS = 64
#: Each costs us time; a camera's picture has about ten, one with previews and profiles some dozens.
MAX_SEGMENTS = 500
#: 8K, as cameras sell it; a 691-byte file may claim 65535 x 65535.
MAX_PIXELS = 7680 * 4320
MAX_SIDE = 16384

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_SIZED = {0xC0, 0xC1, 0xC2}  # baseline, extended sequential, progressive; all Huffman-coded
_UNSIZED = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
#: Between segments any number of 0xFF may stand before a marker; of so many no camera knows.
_MARKER = re.compile(rb"\xff{1,65536}+[^\x00\xd0-\xd7\xff]")
#: In entropy-coded data 0xFF is followed by 0x00 or a restart marker; anything else is a marker.
_IS_MARKER = np.array([code not in (0x00, *range(0xD0, 0xD8), 0xFF) for code in range(256)])
#: Bytes that are searched for markers at a time; what that needs beside them stays in the cache.
_BLOCK = 1 << 18
#: Behind a segment the next marker is near, mostly; it is looked for in blocks that grow from this.
_NEAR = 1 << 13
#: Of what stands before the first scan; it has 600 bytes where no program adds to it.
_MAX_KNOWN = 4096

#: Width, height, number of components.
Size = tuple[int, int, int]


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
    size, at = _read_tables(data)
    scans = 1
    end = _find_marker(data, at, _BLOCK)
    for _ in range(MAX_SEGMENTS):
        if end is None:
            raise _truncated(data)
        marker = data[end - 1]
        if marker == _EOI:
            return JpegHeader(*size, scans=scans, end=end)
        at = _end_of_segment(data, end)
        if marker in _SIZED:
            raise _bad_frame_header()
        if marker == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise FrameError(
                    f"image: expected at most {MAX_SCANS} scans", status=422, reason="scans"
                )
        end = _find_marker(data, at, _NEAR)
    raise _too_many_segments()


def _read_tables(data: bytes) -> tuple[Size, int]:
    """Return the size, and the offset of the first scan's data; raise FrameError (415, 422).

    What stands before it is the same in a camera's pictures, and so is walked once for many.
    """
    scan = data.find(b"\xff\xda", 0, _MAX_KNOWN)
    length = data[scan + 2 : scan + 4]
    if scan > 0 and len(length) == 2:
        with suppress(FrameError):  # of a thumbnail's scan it is not the whole
            return _walk_known(data[: scan + 2 + int.from_bytes(length)])
    return _walk_tables(data)


def _walk_tables(data: bytes) -> tuple[Size, int]:
    size: Size | None = None
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.match(data, at)
        if found is None:
            raise _truncated(data)
        begin = found.end()
        marker = data[begin - 1]
        if marker == _EOI:
            raise _no_picture()
        at = _end_of_segment(data, begin)
        if marker in _SIZED:
            if size is not None:
                raise _bad_frame_header()
            size = _read_size(data[begin:at])
        elif marker == _SOS:
            if size is None:
                raise _no_picture()
            return size, at
    raise _too_many_segments()


#: Bounded in number and, by `_MAX_KNOWN` and a segment's length, in size.
_walk_known = lru_cache(maxsize=64)(_walk_tables)


def _end_of_segment(data: bytes, at: int) -> int:
    """Return where the segment ends whose marker ends at `at`; raise FrameError (415, 422)."""
    marker = data[at - 1]
    if marker == _SOI or marker == 0x01:
        raise FrameError("image: a JPEG marker is out of place", status=422, reason="corrupt")
    length = int.from_bytes(data[at : at + 2])
    if length < 2 or at + length > len(data):
        raise _truncated(data)
    if marker in _UNSIZED:
        raise FrameError(
            "image: this kind of JPEG (lossless or arithmetic) is not taken",
            status=415,
            reason="format",
        )
    return at + length


def _find_marker(data: bytes, at: int, block: int) -> int | None:
    """Return the offset just behind the first marker from `at` on, in entropy-coded data.

    `block` is how many bytes are looked at first; then twice as many each time, up to _BLOCK.
    """
    whole = np.frombuffer(data, np.uint8)
    while at < len(data) - 1:
        piece = whole[at : at + block + 1]
        codes = piece[1:]
        is_marker = piece[:-1] == 0xFF
        # In place, for what has to be fetched into the cache is all that this costs.
        np.minimum(is_marker.view(np.uint8), codes, out=is_marker.view(np.uint8))
        first = int(is_marker.argmax())
        if is_marker[first]:
            if _IS_MARKER[codes[first]]:
                return at + first + 2  # mostly the only one, the end
            # As in _IS_MARKER; a table is slower where restarts are all there is.
            is_marker &= ((codes & 0xF8) != 0xD0) & (codes != 0xFF)
            first = int(is_marker.argmax())
            if is_marker[first]:
                return at + first + 2
        at += block
        block = min(2 * block, _BLOCK)
    return None


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


def _read_size(segment: bytes) -> Size:
    """Read a frame header (T.81, B.2.2), which has 8 bytes, and 3 more for each component."""
    if len(segment) < 8:
        raise _bad_frame_header()
    precision, height, width, components = struct.unpack_from(">BHHB", segment, 2)
    if precision != 8 or components not in (1, 3):
        raise FrameError(
            f"image: expected 8 bits in 1 or 3 components, got {precision} in {components}",
            status=415,
            reason="format",
        )
    if len(segment) != 8 + 3 * components:
        raise _bad_frame_header()
    check_size(width, height)
    return width, height, components


def _no_picture() -> FrameError:
    return FrameError("image: a JPEG without a picture in it", status=422, reason="corrupt")


def _too_many_segments() -> FrameError:
    return FrameError(
        f"image: expected a JPEG of at most {MAX_SEGMENTS} segments", status=422, reason="segments"
    )


def _bad_frame_header() -> FrameError:
    return FrameError("image: bad JPEG frame header", status=422, reason="corrupt")


def _truncated(data: bytes) -> FrameError:
    return FrameError(
        f"image: the JPEG is cut off; {len(data)} bytes came without an end marker",
        status=422,
        reason="truncated",
    )
