"""Video files: once or again and again, at their own pace or as fast as they are read."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from sender.sources.contract import EndOfSource, Shot, SourceError, SourceOptions
from sender.sources.demuxer import Demuxer, Timed
from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace

#: FFmpeg takes any text file for a film of coloured letters.
_NO_VIDEO = {"tty"}
_USUAL_FPS = 25.0


class FileSource:
    """A Source that reads a file that FFmpeg knows. `captured` is when a frame is given out."""

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path = path
        self._options = options
        self._interrupt = Interrupt()
        self._pace = Pace(self._interrupt)
        self.finite = not options.loop
        self.length: int | None = None
        self._demuxer = Demuxer(
            str(path),
            self._interrupt,
            open_timeout=options.open_timeout,
            read_timeout=options.read_timeout,
            live=False,
            observe=options.observe,
        )
        self._interval = 1 / _USUAL_FPS
        self._zero: float | None = None
        self._due = 0.0
        self._any = False

    def open(self) -> None:
        self._check()
        try:
            film = self._demuxer.open(os.path.abspath(self._path))
        except SourceError as exc:
            raise self._no_video() if exc.reason == "format" else exc from None
        if film.format in _NO_VIDEO:
            self._demuxer.close()
            raise self._no_video()
        fps = film.fps or _USUAL_FPS
        self._interval = 1 / fps
        if self.finite:
            self.length = film.frames or round((film.seconds or 0) * fps) or None
        self._start_over()

    def read(self) -> Shot:
        timed = self._next()
        self._due = self._when(timed)
        if self._options.pace == "source":
            self._pace.wait(self._due)
        return replace(timed.shot, captured=time.monotonic())

    def close(self) -> None:
        self._demuxer.close()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()

    def _check(self) -> None:
        name = str(self._path)
        if not self._path.exists():
            raise SourceError(f"{name}: there is no such file", reason="not_found", permanent=True)
        if not os.access(self._path, os.R_OK):
            raise SourceError(f"{name}: may not be read by this user", reason="io", permanent=True)

    def _no_video(self) -> SourceError:
        return SourceError(
            f"{self._path}: is no video that FFmpeg can read", reason="format", permanent=True
        )

    def _next(self) -> Timed:
        timed = self._demuxer.read()
        if timed is None and not self._any:
            raise self._no_video()
        if timed is None and self.finite:
            raise EndOfSource(f"{self._path}: the last frame was read")
        if timed is None:
            self._demuxer.close()
            self.open()
            timed = self._demuxer.read()
            if timed is None:
                raise self._no_video()
        self._any = True
        return timed

    def _when(self, timed: Timed) -> float:
        """Return the seconds from the first frame on; where the file does not say, one more."""
        if timed.at is None:
            return self._due + self._interval
        if self._zero is None:
            self._zero = timed.at
        return timed.at - self._zero

    def _start_over(self) -> None:
        self._zero = None
        self._due = -self._interval
        self._pace.restart()
