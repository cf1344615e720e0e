"""Where the camera's pictures come from: the test pattern, or a video file in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import av
import numpy as np

from shared import pattern
from shared.codec import Image
from shared.errors import FramepostError


class SourceError(FramepostError):
    """Raised when a file cannot be played."""


class PictureSource(Protocol):
    """Gives pictures of `width` × `height`; used by one thread at a time."""

    width: int
    height: int
    #: How many pictures a second it has by its nature.
    fps: float

    def read(self, number: int, at: float) -> Image:
        """Return the next picture, BGR; it is number `number`, taken at Unix time `at`."""
        ...

    def check_size(self, width: int, height: int) -> None:
        """Raise ValueError when it can give no pictures of this size."""
        ...

    def close(self) -> None: ...


class TestPattern:
    """The test pattern, with the picture's number and time drawn in it."""

    fps = 25.0

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        self.check_size(width, height)
        self.width = width
        self.height = height

    def read(self, number: int, at: float) -> Image:
        return pattern.draw(number, self.width, self.height, at)

    def check_size(self, width: int, height: int) -> None:
        pattern.draw(0, width, height)  # raises ValueError for a size that holds no pattern

    def close(self) -> None:
        """Nothing is open."""


class Clip:
    """A video file, over and over, one of its pictures after the other.

    Raise SourceError, here or in `read`, when the file has no picture to give.
    """

    def __init__(self, path: str, *, size: tuple[int, int] | None = None) -> None:
        self._path = path
        self._container, self._pictures = self._open()
        stream = self._container.streams.video[0]
        # Encoders want even sides.
        self.width, self.height = size or (stream.width & ~1, stream.height & ~1)
        self.fps = float(stream.average_rate or stream.guessed_rate or TestPattern.fps)

    def read(self, number: int, at: float) -> Image:
        frame = self._next()
        if frame is None:
            self.close()
            self._container, self._pictures = self._open()
            frame = self._next()
        if frame is None:
            raise SourceError(f"{self._path}: expected a video, got a file without a picture")
        return frame.to_ndarray(width=self.width, height=self.height, format="bgr24").view(np.uint8)

    def check_size(self, width: int, height: int) -> None:
        """Any size will do: pictures are scaled."""

    def close(self) -> None:
        self._container.close()

    def _next(self) -> av.VideoFrame | None:
        """Return the next picture; None at the end, and at a place that does not decode."""
        try:
            return next(self._pictures, None)
        except av.FFmpegError:
            return None

    def _open(self) -> tuple[av.container.InputContainer, Iterator[av.VideoFrame]]:
        try:
            container = av.open(self._path)
        except av.FFmpegError as exc:
            raise SourceError(f"{self._path}: expected a video file ({exc.strerror})") from None
        if not container.streams.video:
            container.close()
            raise SourceError(f"{self._path}: expected a video file, got one without video")
        return container, container.decode(video=0)
