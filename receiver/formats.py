"""Look at a body and say which picture it is, without decoding it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from receiver import png, raw
from shared import jpeg
from shared.errors import FrameError

#: What cameras put behind a picture to fill a block.
_PADDING = b"\x00\r\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's bytes, checked as far as its structure goes; never decoded."""

    data: bytes
    media_type: str
    width: int
    height: int


def is_picture(data: bytes) -> bool:
    """Tell by its first bytes whether `data` claims to be a format that we take."""
    return data.startswith((b"\xff\xd8\xff", png.SIGNATURE, b"RIFF"))


def inspect(data: bytes, *, media_type: str = "", max_pixels: int = jpeg.MAX_PIXELS) -> Picture:
    """Return the picture in `data` without padding; raise FrameError (400, 415, 422) for none.

    Magic bytes decide, except where `media_type` (a Content-Type) says that it is raw pixels.
    """
    if raw.is_raw(media_type):
        layout = raw.read_layout(media_type)
        jpeg.check_size(layout.width, layout.height, max_pixels)
        layout.check(len(data))
        return Picture(data, layout.media_type, layout.width, layout.height)
    if not data:
        raise FrameError("image: the body is empty", status=422, reason="empty")
    if data.startswith(b"\xff\xd8\xff"):
        picture = _inspect_jpeg(data)
    elif data.startswith(png.SIGNATURE):
        picture = _inspect_png(data)
    elif data.startswith(b"RIFF"):
        picture = _inspect_webp(data)
    else:
        raise FrameError(
            f"image: expected a JPEG, PNG or WebP, got bytes that begin {data[:8].hex(' ')}",
            status=415,
            reason="format",
        )
    jpeg.check_size(picture.width, picture.height, max_pixels)
    return picture


def _inspect_jpeg(data: bytes) -> Picture:
    header = jpeg.read_header(data)
    data = _without_padding(data, header.end, "JPEG's end marker")
    return Picture(data, "image/jpeg", header.width, header.height)


def _without_padding(data: bytes, end: int, what: str) -> bytes:
    if end == len(data):
        return data
    if data[end:].strip(_PADDING):
        raise FrameError(
            f"image: {len(data) - end} bytes follow the {what}", status=422, reason="corrupt"
        )
    return data[:end]


def _inspect_png(data: bytes) -> Picture:
    header = png.read_header(data)
    data = _without_padding(data, header.end, "PNG's end")
    return Picture(data, "image/png", header.width, header.height)


def _inspect_webp(data: bytes) -> Picture:
    """Read the first chunk (RFC 9649, sections 2.4 to 2.7)."""
    if len(data) < 30 or data[8:12] != b"WEBP":
        raise FrameError("image: a RIFF file that is no WebP", status=415, reason="format")
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise FrameError("image: the WebP is cut off", status=422, reason="truncated")
    chunk = data[12:16]
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif chunk == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8X" and not data[20] & 0x02:
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    else:
        raise FrameError(
            "image: this kind of WebP (animated, or damaged) is not taken",
            status=415,
            reason="format",
        )
    return Picture(data, "image/webp", width, height)
