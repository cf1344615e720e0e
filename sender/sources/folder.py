"""Folders of images, in the order in which people number them."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path

from sender.sources.contract import EndOfSource, Shot, SourceError, SourceOptions
from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace
from sender.sources.still import read_still
from shared.errors import FrameError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
DEFAULT_FPS = 25.0


class FolderSource:
    """A Source that reads the images of a folder, or a single one; JPEGs stay as they are.

    What is in the folder is looked up once in each round. A file that is no image is counted as
    lost. `captured` is when a frame is given out.
    """

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path = path
        self._options = options
        self._interrupt = Interrupt()
        self._pace = Pace(self._interrupt)
        self.finite = not options.loop
        self.length: int | None = None
        self._waiting: list[Path] = []
        self._numbers = itertools.count()
        self._lost = 0
        self._any = False

    def open(self) -> None:
        self._waiting = self._list()
        if self.finite:
            self.length = len(self._waiting)
        self._numbers = itertools.count()
        self._pace.restart()

    def read(self) -> Shot:
        if self._options.pace == "source":
            self._pace.wait(next(self._numbers) / (self._options.fps or DEFAULT_FPS))
        while True:
            self._interrupt.check()
            path = self._next()
            try:
                picture = read_still(path.read_bytes())
            except (FrameError, OSError):
                self._lost += 1
                continue
            self._any = True
            lost, self._lost = self._lost, 0
            return Shot(picture, time.monotonic(), lost=lost)

    def close(self) -> None:
        self._waiting = []
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()

    def _next(self) -> Path:
        if not self._waiting:
            if not self._any:
                raise SourceError(
                    f"{self._path}: none of its {self._lost} images could be read",
                    reason="format",
                    permanent=True,
                )
            if self.finite:
                raise EndOfSource(f"{self._path}: the last image was read")
            self._any = False
            self._lost = 0
            self._waiting = self._list()
        return self._waiting.pop(0)

    def _list(self) -> list[Path]:
        try:
            found = (
                [self._path] if self._path.is_file() else sorted(self._path.iterdir(), key=_order)
            )
        except OSError as exc:
            raise SourceError(
                f"{self._path}: cannot be read ({exc.strerror})", reason="not_found", permanent=True
            ) from None
        images = [path for path in found if path.suffix.lower() in SUFFIXES]
        if not images:
            raise SourceError(
                f"{self._path}: there is no image in it ({', '.join(sorted(SUFFIXES))})",
                reason="not_found",
                permanent=True,
            )
        return images


def _order(path: Path) -> list[tuple[int, str]]:
    """Return what makes frame2 come before frame10."""
    pieces = re.split(r"(\d+)", path.name.lower())
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces]
