"""Reel: the recordings of one camera, one after the other on one line of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.recording import RecordedFrame, Recording

#: Seconds that lie at most between two recordings, whatever lay between them.
_LONGEST_BREAK = 1.0


class Reel:
    """Recordings in the order of their times, as `find` gives them."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._recordings = recordings

    @property
    def length(self) -> int:
        """The number of frames, as Recording says it."""
        return sum(each.length for each in self._recordings)

    def frames(self) -> Iterator[RecordedFrame]:
        """Yield every frame; `pts` counts from the first one, without long breaks.

        One recording is open at a time. Raise RecordingError.
        """
        begin = 0.0
        last: RecordedFrame | None = None
        for recording in self._recordings:
            offset: float | None = None
            for frame in recording.frames():
                if offset is None:
                    offset = begin - frame.pts
                    if last is not None:
                        pause = frame.captured_at - last.captured_at
                        offset += min(max(pause, 0.001), _LONGEST_BREAK)
                last = replace(frame, pts=frame.pts + offset)
                yield last
            if last is not None:
                begin = last.pts
