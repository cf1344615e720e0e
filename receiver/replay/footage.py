"""Footage: the frames to be replayed, of all cameras, in the order in which they were captured."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.film import RecordingError
from shared.recording import RecordedFrame, Recording
from shared.reel import Reel

#: A recording's own start may be so far off from its first frame's capture.
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
        first = min(map(_first_moment, by_camera.values()))
        if first == math.inf:
            raise RecordingError(f"{recordings[0].path}: there is no whole picture in it")
        # Sums of large floats: a frame at the very edge belongs to it.
        self._begin, self._end = first + begin - _EDGE, first + end + _EDGE
        self.is_cut = begin > 0 or end < math.inf
        self._reels: dict[str, list[Recording]] = {}
        for camera, each in by_camera.items():
            kept = [recording for recording in each if self._touches(recording)]
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

    def _touches(self, recording: Recording) -> bool:
        if not self.is_cut:
            return True
        last = recording.started + recording.duration
        return recording.started - _SLACK <= self._end and last + _SLACK >= self._begin

    def _count(self, recording: Recording) -> int:
        if not self.is_cut or recording.duration == 0:
            return recording.length
        begin = max(self._begin, recording.started)
        end = min(self._end, recording.started + recording.duration)
        return round(recording.length * max(0.0, end - begin) / recording.duration)


def _first_moment(recordings: Sequence[Recording]) -> float:
    for recording in recordings:
        frames = recording.frames()
        first = next(frames, None)
        if first is not None:
            return first.captured_at
    return math.inf
