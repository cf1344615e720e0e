"""Reel: writes one camera's frames and results into one segment after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from receiver.frame import Frame
from receiver.order import is_before
from receiver.recording.disk import Disk
from receiver.recording.preroll import Told
from receiver.recording.segment import Segment
from receiver.recording.tally import Tally
from shared.errors import FrameError
from shared.frame import EncodedFrame

#: Seconds that an ended segment waits for the results of its last frames.
_LINGER = 5.0
#: Seconds of a segment at least: two senders under one name would else make one of each frame.
_LEAST = 1.0


class Reel:
    """For the recorder's thread; `name` may be looked at from any. Raises nothing of the disk's."""

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float,
        tally: Tally,
        disk: Disk,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Write into `folder`, the camera's, segments of at most `seconds`."""
        self._folder = folder
        self._camera = folder.name
        self._seconds = seconds
        self._tally = tally
        self._disk = disk
        self._clock = clock
        self._wall = wall
        self._segment: Segment | None = None
        self._began = -math.inf
        #: Segments without further frames, and until when they wait for results.
        self._ended: list[tuple[float, Segment]] = []
        self._newest: EncodedFrame | None = None
        self._event: tuple[str, float] | None = None
        self._written = 0

    @property
    def name(self) -> str | None:
        """What the recording that is being written is called."""
        segment = self._segment
        return None if segment is None else segment.name

    def write(self, frame: EncodedFrame) -> None:
        """Write a frame, or count why it is lost."""
        lost = self._tally.lost
        if self._disk.is_paused(self._camera):
            lost["disk"] += 1
        elif self._newest is not None and is_before(frame, self._newest):
            lost["late"] += 1
        elif self._segment is not None and not self._segment.fits(frame) and not self.cut(_LEAST):
            lost["switched"] += 1
        else:
            try:
                jpeg = Frame(frame).jpeg
            except FrameError:
                lost["corrupt"] += 1
                return
            try:
                self._add(frame, jpeg)
            except OSError as exc:
                lost["disk"] += 1
                self._fail(exc)

    def tell(self, told: Told) -> bool:
        """Write a result beside its frame; say whether that is here."""
        current = [] if self._segment is None else [self._segment]
        for segment in [*current, *(each for _, each in self._ended)]:
            if segment.holds(told.epoch, told.seq):
                segment.add_result(told.facts)
                return True
        return False

    def mark(self, reason: str) -> None:
        """Write that somebody asked for what comes, into the next segment if there is none."""
        self._event = reason, self._wall()
        self._note_event()

    def tick(self) -> int:
        """Put what was added into the files, end what is over; return the bytes written since."""
        self._flush()
        if self._clock() - self._began >= self._seconds:
            self.cut()
        for _, segment in self._ended:
            try:
                segment.flush()
            except OSError as exc:
                self._disk.failed(self._camera, exc)
        while self._ended and self._clock() >= self._ended[0][0]:
            self._finish(self._ended.pop(0)[1])
        written, self._written = self._written, 0
        return written

    def cut(self, least: float = 0.0) -> bool:
        """End the segment if it is `least` seconds old; the next frame begins another."""
        if self._clock() - self._began < least:
            return False
        self._flush()
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.end_video()
            self._ended.append((self._clock() + _LINGER, segment))
        return True

    def close(self) -> None:
        """End everything now."""
        self.cut()
        for _, segment in self._ended:
            self._finish(segment)
        self._ended.clear()

    def _add(self, frame: EncodedFrame, jpeg: bytes) -> None:
        at = self._wall() - (time.monotonic() - frame.arrived)
        if self._segment is None:
            self._began = self._clock()
            self._segment = Segment(self._folder, frame, started=at, seconds=self._seconds)
            self._note_event()
        before = self._segment.size
        self._segment.add(frame, jpeg, received_at=at)
        self._written += self._segment.size - before
        self._newest = frame

    def _note_event(self) -> None:
        if self._event is not None and self._segment is not None:
            self._segment.add_event(*self._event)
            self._event = None

    def _flush(self) -> None:
        segment = self._segment
        if segment is None:
            return
        frames = segment.untold
        try:
            segment.flush()
        except OSError as exc:
            self._fail(exc)
        else:
            self._tally.recorded += frames
            if frames:
                self._disk.worked(self._camera)

    def _finish(self, segment: Segment) -> None:
        try:
            segment.close()
        except OSError as exc:
            self._disk.failed(self._camera, exc)

    def _fail(self, error: OSError) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            # What stands in the .mkv and not in the .jsonl is lost with it.
            self._tally.lost["disk"] += segment.abandon()
        self._disk.failed(self._camera, error)
