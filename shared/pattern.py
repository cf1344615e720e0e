"""The test pattern: a moving picture with its frame number and time drawn in it, for machines.

The number (32 bits), the time (Unix microseconds, 64 bits) and a CRC-16/CCITT of both (big-endian)
are drawn as a grid of black and white blocks, 16 to a row, first bit top left. Blocks are 1/32 of
the picture's width, so the grid survives JPEG, H.264 and a change of size, and whoever reads it
knows which frame arrived and how old it is without trusting any header.
"""

from __future__ import annotations

import binascii
import struct
import time
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from shared.codec import Image

_COLUMNS, _ROWS = 16, 7
_BLOCKS_ACROSS = 32
#: Colour bars, BGR: grey, yellow, cyan, green, magenta, red, blue.
_BARS = (
    (180, 180, 180), (16, 180, 180), (180, 180, 16), (16, 180, 16),
    (180, 16, 180), (16, 16, 180), (180, 16, 16),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn in a picture. `time` is Unix seconds."""

    number: int
    time: float


def draw(number: int, width: int, height: int, at: float | None = None) -> Image:
    """Return picture `number` (0 to 2³² − 1) at Unix time `at` (now), height × width × 3 BGR.

    A ball moves and a text counts, for people; the blocks top left are for `read`. The picture
    must be high enough for the grid: at least 7/32 of its width, and 64 pixels wide.
    """
    image = _background(width, height).copy()
    now = time.time() if at is None else at
    radius = max(4, height // 12)
    x = int((number * width / 100) % (width + 2 * radius)) - radius
    y = int(height * (0.72 + 0.14 * np.sin(number / 12)))
    cv2.circle(image, (x, y), radius, (255, 255, 255), cv2.FILLED)
    scale = height / 480
    text = f"{number}  {time.strftime('%H:%M:%S', time.gmtime(now))}.{int(now * 10) % 10}"
    place = (int(width * 0.53), int(height * 0.15))
    cv2.putText(
        image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), max(1, int(4 * scale))
    )
    cv2.putText(
        image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), max(1, int(2 * scale))
    )
    mark(image, number, now)
    return image


def mark(image: Image, number: int, at: float) -> None:
    """Draw the mark into `image` (BGR), in place."""
    content = struct.pack(">IQ", number & 0xFFFFFFFF, round(at * 1e6))
    content += struct.pack(">H", binascii.crc_hqx(content, 0xFFFF))
    bits = np.unpackbits(np.frombuffer(content, np.uint8)).reshape(_ROWS, _COLUMNS) * np.uint8(255)
    block = image.shape[1] / _BLOCKS_ACROSS
    # Not by OpenCV: its helper threads spin for a while after each call.
    lines = bits.repeat(_extents(_COLUMNS, block), axis=1).repeat(3, axis=1)
    top = 0
    for line, height in zip(lines.reshape(_ROWS, -1, 3), _extents(_ROWS, block), strict=True):
        image[top : top + height, : len(line)] = line
        top += height


def read(image: Image) -> Mark | None:
    """Return the mark in `image` (BGR or grey, uint8, any size), or None where none is legible."""
    height, width = image.shape[:2]
    block = width / _BLOCKS_ACROSS
    if _ROWS * block > height or block < 2:
        return None
    rows = ((np.arange(_ROWS) + 0.5) * block).astype(int)
    columns = ((np.arange(_COLUMNS) + 0.5) * block).astype(int)
    cells = image[np.ix_(rows, columns)]
    grey = cells.mean(axis=2) if cells.ndim == 3 else cells
    packed = np.packbits(grey.ravel() > 127).tobytes()
    number, micros, crc = struct.unpack(">IQH", packed)
    if binascii.crc_hqx(packed[:12], 0xFFFF) != crc:
        return None
    return Mark(number, micros / 1e6)


@lru_cache(maxsize=16)
def _extents(count: int, block: float) -> npt.NDArray[np.intp]:
    """Return how many pixels each of `count` blocks in a row has."""
    places = np.minimum((np.arange(int(count * block)) / block).astype(int), count - 1)
    return np.bincount(places, minlength=count)


@lru_cache(maxsize=8)
def _background(width: int, height: int) -> Image:
    if width < 64 or height * _BLOCKS_ACROSS < width * _ROWS:
        raise ValueError(
            "size: the test pattern needs at least 64 pixels across and 7/32 of "
            f"that down, got {width}x{height}"
        )
    bars = np.array(_BARS, np.uint8)[np.arange(width) * len(_BARS) // width]
    image = np.repeat(bars[None], height, axis=0)
    image[: int(height * 0.45)] = image[: int(height * 0.45)] // 4
    return image
