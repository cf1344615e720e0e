"""The pictures of the vectors, sound ones and broken ones; the same bytes at every run."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from shared import codec, pattern
from shared.codec import Image

#: Small, and still legible for `pattern.read`. Both sides even, for chroma planes.
WIDTH, HEIGHT = 64, 48
#: Any moment: 14 November 2023.
AT = 1_700_000_000.0

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def image(number: int) -> Image:
    return np.ascontiguousarray(pattern.draw(number, WIDTH, HEIGHT, AT))


def jpeg(number: int) -> bytes:
    return codec.encode(image(number), 50)


def grey_jpeg(number: int) -> bytes:
    return codec.encode(cv2.cvtColor(image(number), cv2.COLOR_BGR2GRAY).astype(np.uint8), 50)


def encoded(number: int, suffix: str, *parameters: int) -> bytes:
    """Return the picture in another of OpenCV's formats, such as `.png`."""
    done, data = cv2.imencode(suffix, image(number), parameters)
    assert done
    return data.tobytes()


def progressive_jpeg(number: int) -> bytes:
    return encoded(number, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 50)


def pixels(number: int, layout: str) -> bytes:
    """Return the picture without a codec."""
    bgr = image(number)
    if layout == "bgr":
        return bgr.tobytes()
    if layout == "rgb":
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).tobytes()
    if layout == "gray":
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).tobytes()
    planes = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    if layout == "i420":
        return planes.tobytes()
    chroma = planes[HEIGHT:].reshape(2, -1)
    return planes[:HEIGHT].tobytes() + chroma.T.tobytes()


def segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG segment (ITU-T T.81, B.1.1.4)."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def at_marker(data: bytes, marker: int) -> int:
    """Return where the first segment of that kind begins."""
    at = 2
    while data[at + 1] != marker:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def claiming(
    width: int, height: int, *, frame: int = 0xC0, depth: int = 8, parts: int = 3
) -> bytes:
    """Return a little JPEG whose frame header claims these sizes."""
    components = b"".join(bytes([one + 1, 0x11, 0]) for one in range(parts))
    header = segment(frame, struct.pack(">BHHB", depth, height, width, parts) + components)
    scan = b"".join(bytes([one + 1, 0]) for one in range(parts))
    return SOI + header + segment(0xDA, bytes([parts]) + scan + b"\x00\x3f\x00") + b"\x00" * 8 + EOI


def of_scans(count: int) -> bytes:
    """Return a progressive JPEG that costs its decoder `count` scans."""
    data = progressive_jpeg(1)
    start = at_marker(data, 0xDA)
    scan = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + b"\x00"
    return data[:start] + scan * count + EOI
