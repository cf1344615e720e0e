"""Limits: how many frames a camera sends, how large and how good."""

from __future__ import annotations

import logging

from sender.picture import Size
from shared.control import Control

logger = logging.getLogger(__name__)


class Limits:
    """Our own settings, and within them what the receiver wishes. Written by the poster, read by
    any thread.

    A wish can only make less of the frames: fewer, smaller, of lower quality.
    """

    def __init__(
        self,
        camera: str,
        *,
        fps: float | None = None,
        size: Size | None = None,
        quality: int = 80,
        obey: bool = True,
    ) -> None:
        """`size` is what pictures are scaled to, whatever their shape; None leaves them alone."""
        self._camera = camera
        self._fps = fps
        self._size = size
        self._quality = quality
        self._obey = obey
        self._wish: Control | None = None

    def hear(self, wish: Control | None) -> None:
        """Take what the receiver wishes now; None lifts what it wished before."""
        if wish == self._wish:
            return
        self._wish = wish
        if wish is None:
            logger.info("camera %s: the receiver takes frames as they are again", self._camera)
        elif self._obey:
            logger.info("camera %s: the receiver wishes %s", self._camera, wish)
        else:
            logger.info("camera %s: the receiver wishes %s; not obeyed", self._camera, wish)

    @property
    def obeyed(self) -> Control | None:
        """The receiver's wish, unless there is none or it is not obeyed."""
        return self._wish if self._obey else None

    @property
    def fps(self) -> float | None:
        """Frames a second at most; None for all."""
        wish = self.obeyed
        if wish is None or wish.fps is None:
            return self._fps
        return wish.fps if self._fps is None else min(self._fps, wish.fps)

    @property
    def interval(self) -> float:
        """The seconds from one frame to the next by `fps`; 0 without a limit."""
        fps = self.fps
        return 1 / fps if fps else 0.0

    @property
    def quality(self) -> int:
        """The JPEG quality of what is encoded here."""
        wish = self.obeyed
        return min(self._quality, wish.quality) if wish and wish.quality else self._quality

    def size_of(self, width: int, height: int) -> Size:
        """Return the size in which a picture of `width` x `height` is sent.

        It fits in the size that the receiver wishes, keeps its shape and never grows.
        """
        width, height = self._size or (width, height)
        wish = self.obeyed
        if wish is None or wish.size is None:
            return width, height
        scale = min(wish.size[0] / width, wish.size[1] / height)
        if scale >= 1:
            return width, height
        return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    # Half as many samples of colour as of light, in each direction. A hair's breadth for the float.
    return max(2, int(side / 2 + 1e-6) * 2)
