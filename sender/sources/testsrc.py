"""The test pattern as a source: its number and time can be read from the pixels."""

from __future__ import annotations

import itertools
import time

from sender.picture import ImagePicture, Size
from sender.sources.contract import Shot, SourceOptions
from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace
from shared import pattern
from shared.codec import Image
from shared.errors import ConfigError

DEFAULT_FPS = 25.0
DEFAULT_SIZE = (1280, 720)


class PatternSource:
    """A Source that draws frame 0, 1, 2, ...; the numbers go on when it is opened again."""

    finite = False
    length: int | None = None

    def __init__(self, options: SourceOptions) -> None:
        """Raise ConfigError for a size that the pattern does not fit in."""
        self._size = options.size or DEFAULT_SIZE
        try:
            pattern.draw(0, *self._size)
        except ValueError as exc:
            raise ConfigError(str(exc)) from None
        self._interval = 1 / (options.fps or DEFAULT_FPS)
        self._paced = options.pace == "source"
        self._interrupt = Interrupt()
        self._pace = Pace(self._interrupt)
        self._numbers = itertools.count()

    def open(self) -> None:
        self._interrupt.check()
        self._pace.restart()

    def read(self) -> Shot:
        number = next(self._numbers)
        if self._paced:
            self._pace.wait(number * self._interval)
        self._interrupt.check()
        return Shot(PatternPicture(number, self._size, time.time()), time.monotonic())

    def close(self) -> None:
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()


class PatternPicture:
    """Frame `number` of Unix time `at`, drawn when somebody takes it."""

    held_bytes = 0

    def __init__(self, number: int, size: Size, at: float) -> None:
        self._number = number
        self.width, self.height = size
        self._at = at

    def to_jpeg(self, quality: int, size: Size | None = None) -> bytes:
        """See Picture."""
        return self._draw().to_jpeg(quality, size)

    def to_pixels(self, size: Size) -> Image:
        """See Picture."""
        return self._draw().to_pixels(size)

    def _draw(self) -> ImagePicture:
        return ImagePicture(pattern.draw(self._number, self.width, self.height, self._at))
