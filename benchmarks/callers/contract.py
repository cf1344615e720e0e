"""The contract between the answer benchmark and whoever calls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from shared import codec, pattern
from shared.codec import Image


@dataclass(frozen=True, slots=True)
class Shot:
    """A numbered picture in both forms that a caller may have it in: pixels (BGR) and JPEG."""

    number: int
    image: Image
    jpeg: bytes

    @classmethod
    def make(cls, number: int, image: Image, quality: int) -> Shot:
        """Draw the number into `image`, in place."""
        pattern.mark(image, number, time.time())
        return cls(number, image, codec.encode(image, quality))


class Caller(Protocol):
    """One way of asking."""

    def call(self, shot: Shot) -> float:
        """Have the picture processed, check its number, and return the seconds that it took."""
        ...

    def close(self) -> None: ...


def check(shot: Shot, number: object) -> None:
    """Raise ValueError unless the hook read the number that was drawn."""
    if number != shot.number:
        raise ValueError(f"the hook read {number!r} from picture {shot.number}")
