"""Bombs: small bodies that would cost a decoder, or a careless look at them, much."""

from __future__ import annotations

import struct
import zlib

import cv2

from shared import codec, pattern

_IMAGE = pattern.draw(1, 160, 120)
_JPEG = codec.encode(_IMAGE, 80)
_PROGRESSIVE = cv2.imencode(".jpg", _IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
_PNG = cv2.imencode(".png", _IMAGE)[1].tobytes()
_WEBP = cv2.imencode(".webp", _IMAGE)[1].tobytes()


def refused(size: int) -> dict[str, bytes]:
    """Return those that must not be taken; the larger ones have about `size` bytes."""
    return {
        "jpeg-16000": _claiming(16000, 16000),
        "jpeg-65500": _claiming(65500, 65500),
        "jpeg-16384-by-16384": _claiming(16384, 16384),
        "jpeg-0": _claiming(0, 0),
        "png-2^31": _png(2**31 - 1, 2**31 - 1),
        "png-0": _png(0, 0),
        "png-65535": _png(65535, 65535),
        "webp-16384": _webp(16384, 16384),
        "webp-2^24": _webp(2**24, 2**24),
        "gif": b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(40),
        "bmp": b"BM" + struct.pack("<IIIIii", 100, 0, 54, 40, 65535, 65535) + bytes(40),
        "tiff": b"II*\0" + struct.pack("<I", 8) + bytes(60),
        "tiff-big-endian": b"MM\0*" + struct.pack(">I", 8) + bytes(60),
        "exr": b"v/1\x01\x02\0\0\0" + bytes(60),
        "jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
        "j2k": b"\xff\x4f\xff\x51" + bytes(60),
        "hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 65535 +X 65535\n" + bytes(40),
        "ppm": b"P6\n65535 65535\n255\n" + bytes(40),
        "pfm": b"PF\n65535 65535\n-1.0\n" + bytes(40),
        "sun": b"\x59\xa6\x6a\x95" + struct.pack(">II", 65535, 65535) + bytes(40),
        "avif": b"\0\0\0\x1cftypavif" + bytes(60),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>',
        "gzip": zlib.compress(bytes(1 << 20)),
        "jpeg-400-scans": _scans(400),
        "jpeg-scans": _scans(size // 16),
        "jpeg-segments-before": _JPEG[:2] + b"\xff\xe0\0\2" * (size // 4) + _JPEG[2:],
        "jpeg-tables-before": _JPEG[:2] + b"\xff\xc4\0\2" * (size // 4) + _JPEG[2:],
        "jpeg-segments-behind": _JPEG[:-2] + b"\xff\xe0\0\2" * (size // 4) + _JPEG[-2:],
        "jpeg-tables-behind": _JPEG[:-2] + b"\xff\xc4\0\2" * (size // 4) + _JPEG[-2:],
        "jpeg-no-end": _JPEG[:-2] + bytes(size),
        "jpeg-no-end-restarts": _JPEG[:-2] + b"\xff\xd0" * (size // 2),
        "jpeg-fill": b"\xff\xd8" + b"\xff" * size,
        "jpeg-starts": b"\xff\xd8\xff" * (size // 3),
        "jpeg-trailer": _JPEG + b"<" * size,
        "png-chunks": _PNG[:33] + _chunk(b"tEXt", b"") * (size // 12) + _PNG[33:],
        "png-texts": _PNG[:33]
        + _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(7 << 20), 9)) * 100
        + _PNG[33:],
        "png-no-end": _PNG[:-12] + _chunk(b"IDAT", bytes(size)),
    }


def taken() -> dict[str, bytes]:
    """Return those that are within every limit, but cost a decoder as much as these allow."""
    return {
        "jpeg-8k-claimed": _claiming(7680, 4320),
        "jpeg-8k-60-scans": _scans(50, 7680, 4320),
        "jpeg-restarts": _JPEG[:-2] + b"\xff\xd0" * (1 << 20) + _JPEG[-2:],
        "jpeg-exif": _JPEG[:2]
        + (b"\xff\xe1\xff\xffExif\0\0" + b"\xff\xd9" * 32763 + b"\0") * 40
        + _JPEG[2:],
        "png-8k": _png(7680, 4320, _packed(7680 * 3, 4320)),
        "png-pixels-beyond": _png(160, 120, _zeros(6_000)),
        "png-no-pixels": _png(7680, 4320, b"none"),
        "webp-8k": _webp(7680, 4320),
    }


def _claiming(width: int, height: int, data: bytes = _JPEG, marker: bytes = b"\xff\xc0") -> bytes:
    at = data.index(marker) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def _scans(count: int, width: int = 160, height: int = 120) -> bytes:
    whole = _claiming(width, height, _PROGRESSIVE, b"\xff\xc2")
    scan = whole[whole.rindex(b"\xff\xda") :][:14] + b"\0\0"
    return whole[:-2] + scan * count + whole[-2:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return _PNG[:8] + header + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _packed(row: int, rows: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(row + 1)) for _ in range(rows)) + packer.flush()


def _zeros(megabytes: int) -> bytes:
    """Return zeros, packed to a thousandth."""
    packer = zlib.compressobj(9)
    first, each = (packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in "12")
    return first + each * (megabytes - 1)


def _webp(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides + _WEBP[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body
