"""Footage: the frames to be replayed, of all cameras, in the order in which they were captured."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.errors import RecordingError
from shared.recording import RecordedFrame, Recording
from shared.reel import Reel

#: Cameras' clocks and those of recordings may drift apart by so many seconds.
_SLACK = 60.0
_EDGE = 0.0005


class Footage:
    """Recordings, cut to what lies from `begin` to `end` seconds after the very first frame."""

    def __init__(
        self, recordings: Sequence[Recording], *, begin: float = 0.0, end: float = math.inf
    ) -> None:
        """Look at the first frames; raise RecordingError where there are none."""
        by_camera: dict[str, list[Recording]] = {}
        for recording in sorted(recordings, key=lambda each: (each.camera, each.started)):
            by_camera.setdefault(recording.camera, []).append(recording)
        firsts = [found for each in by_camera.values() if (found := _first(each)) is not None]
        if not firsts:
            raise RecordingError(f"{recordings[0].path}: there is no whole picture in it")
        first = min(firsts, key=lambda found: found.captured_at).captured_at
        #: By camera, how far its clock is ahead of that of its recordings.
        self._ahead = {found.camera: found.ahead for found in firsts}
        # Sums of large floats: a frame at the very edge belongs to it.
        self._begin, self._end = first + begin - _EDGE, first + end + _EDGE
        self.is_cut = begin > 0 or end < math.inf
        self._reels: dict[str, list[Recording]] = {}
        for camera in self._ahead:
            kept = [each for each in by_camera[camera] if not self.is_cut or self._overlap(each)]
            if kept:
                self._reels[camera] = kept

    @property
    def cameras(self) -> list[str]:
        """Their names, sorted."""
        return list(self._reels)

    def count(self) -> int:
        """Return about how many frames there are."""
        return sum(self._count(each) for reel in self._reels.values() for each in reel)

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield the frames; one recording of each camera is open at a time.

        Raise RecordingError.
        """
        reels = [self._cut(Reel(each)) for each in self._reels.values()]
        return heapq.merge(*reels, key=lambda frame: frame.captured_at)

    def _cut(self, reel: Reel) -> Iterator[RecordedFrame]:
        for frame in reel.frames():
            if frame.captured_at > self._end:
                return
            if frame.captured_at >= self._begin:
                # Its age, which would be another in each run, is so 0 to the hook.
                yield replace(frame, clock_offset=math.inf)

    def _overlap(self, recording: Recording) -> float:
        """Return about which share of the recording is to be replayed; above 0 where any may be."""
        started = recording.started + self._ahead[recording.camera]
        begin = max(self._begin, started)
        end = min(self._end, started + recording.duration)
        if end + _SLACK < begin:
            return 0.0
        return max(0.01, (end - begin) / (recording.duration or 1))

    def _count(self, recording: Recording) -> int:
        share = self._overlap(recording) if self.is_cut else 1
        return round(recording.length * min(1, share))


@dataclass(frozen=True, slots=True)
class _First:
    """What a camera's first frame tells."""

    camera: str
    captured_at: float
    ahead: float


def _first(recordings: Sequence[Recording]) -> _First | None:
    for recording in recordings:
        frame = next(recording.frames(), None)
        if frame is not None:
            at = frame.captured_at
            return _First(recording.camera, at, at - recording.started)
    return None
