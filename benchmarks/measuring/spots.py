"""Spots: the test pattern's mark as single pixels, for pictures that nobody compresses.

`pattern.read` looks at the middle of each block only. To draw whole blocks takes milliseconds at
1080p, and a benchmark would measure that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared import pattern
from shared.codec import Image

#: The smallest picture that can be marked has blocks of two pixels, 32 of them across.
_ROWS, _COLUMNS, _SMALL = 7, 16, (14, 64, 3)


def mark(image: Image, number: int, at: float) -> None:
    """Draw into `image` (BGR), in place, what `pattern.read` reads as `pattern.mark` did it."""
    small = np.zeros(_SMALL, np.uint8)
    pattern.mark(small, number, at)
    image[_places(image.shape[1])] = small[::2, : 2 * _COLUMNS : 2]


def endless(images: Sequence[Image]) -> Iterator[Image]:
    """Yield the images again and again, each with its own number and the time drawn into it."""
    number = 0
    while True:
        image = images[number % len(images)]
        mark(image, number, time.time())
        yield image
        number += 1


@lru_cache(maxsize=8)
def _places(width: int) -> Any:
    block = width / (_SMALL[1] / 2)
    middles = [((np.arange(count) + 0.5) * block).astype(int) for count in (_ROWS, _COLUMNS)]
    return np.ix_(*middles)
