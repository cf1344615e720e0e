"""Recordings: sent again as they were, the JPEGs untouched, at their own pace or fast."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from sender.picture import JpegPicture
from sender.sources.contract import EndOfSource, Place, Shot, SourceError, SourceOptions
from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace
from shared.errors import RecordingError
from shared.recording import RecordedFrame, find
from shared.reel import Reel

#: What an earlier replay added to the epoch.
_RUN = re.compile(r"~[0-9a-f]{8}$")
#: Of an epoch's 64 characters these are left beside what is added.
_MAX_EPOCH = 55


class RecordingSource:
    """A Source that reads one recording, or a folder of one camera's.

    Frames keep their numbers and their epoch, to which `~` and eight digits are added that are new
    for each run and each round: a receiver would take a second run for frames it knows. `captured`
    is when a frame was due, so that from frame to frame it is the time that it was.
    """

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path = path
        self._options = options
        self._interrupt = Interrupt()
        self._pace = Pace(self._interrupt)
        self.finite = not options.loop
        self.length: int | None = None
        self._frames: Iterator[RecordedFrame] = iter(())
        self._run = ""
        self._any = False

    def open(self) -> None:
        try:
            recordings = find(self._path)
            cameras = sorted({each.camera for each in recordings})
            if len(cameras) > 1:
                raise RecordingError(
                    f"{self._path}: expected the recordings of one camera, got those of "
                    f"{', '.join(cameras[:5])}; name one's folder"
                )
            reel = Reel(recordings)
            if self.finite:
                self.length = reel.length
        except RecordingError as exc:
            raise _unfit(exc) from None
        self._frames = reel.frames()
        self._run = secrets.token_hex(4)
        self._any = False
        self._pace.restart()

    def read(self) -> Shot:
        self._interrupt.check()
        frame = self._next()
        captured = time.monotonic()
        if self._options.pace == "source":
            captured = self._pace.wait(frame.pts)
        epoch = _RUN.sub("", frame.epoch)[:_MAX_EPOCH]
        return Shot(
            JpegPicture(frame.data, width=frame.width, height=frame.height),
            captured,
            place=Place(f"{epoch}~{self._run}", frame.seq),
        )

    def close(self) -> None:
        self._frames = iter(())
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()

    def _next(self) -> RecordedFrame:
        frame = self._read()
        if frame is None and not self._any:
            raise SourceError(
                f"{self._path}: there is no whole picture in it", reason="format", permanent=True
            )
        if frame is None and self.finite:
            raise EndOfSource(f"{self._path}: the last frame was read")
        if frame is None:
            self.open()
            return self._next()
        self._any = True
        return frame

    def _read(self) -> RecordedFrame | None:
        try:
            return next(self._frames, None)
        except RecordingError as exc:
            raise _unfit(exc) from None


def _unfit(exc: RecordingError) -> SourceError:
    return SourceError(str(exc), reason="format", permanent=True)
