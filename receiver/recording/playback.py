"""Playback: a recording's pictures in the order and at the pace in which they came."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from receiver.recording.shelf import Recording
from shared.errors import RecordingError
from shared.result_index import read_object
from shared.sidecar import FrameLine, Sidecar, read_frame
from shared.view.viewer import Pace

#: By how many milliseconds of the recording a result may stand behind its frame, and how many
#: frames are looked through for it at most.
_AHEAD_MS = 5000
_AHEAD_FRAMES = 1000
#: Seconds by which a picture may be late; later ones are left out, so that a slow viewer sees less
#: instead of slower.
_TOO_LATE = 0.5
#: Seconds of quiet until a sign of life.
_QUIET = 1.0


@dataclass(frozen=True, slots=True)
class Shot:
    """A recorded frame, and its result where one was recorded."""

    frame: FrameLine
    result: dict[str, Any] | None

    @property
    def at(self) -> float:
        """Seconds from the recording's first frame."""
        return self.frame.pts / 1000


def read_shots(sidecar: Sidecar, start: float) -> Iterator[Shot]:
    """Yield what was captured from `start` (seconds) on, as far as that is said.

    Results stand behind their frames, so it is read a little ahead; no more of it is held.
    """
    frames: deque[FrameLine] = deque()
    results: dict[tuple[str, str], dict[str, Any]] = {}

    def shot() -> Shot:
        frame = frames.popleft()
        return Shot(frame, results.pop((frame.epoch, str(frame.seq)), None))

    with suppress(RecordingError):  # removed meanwhile
        for _, line in sidecar.lines():
            if frame := read_frame(line):
                if frame.pts >= start * 1000:
                    frames.append(frame)
            elif frames and line.startswith(b'{"result"'):
                facts = (read_object(line) or {}).get("result")
                if isinstance(facts, dict):
                    results[str(facts.get("epoch")), str(facts.get("seq"))] = facts
            while frames and _is_ripe(frames, results):
                yield shot()
    while frames:
        yield shot()


def _is_ripe(frames: deque[FrameLine], results: Mapping[tuple[str, str], object]) -> bool:
    """Tell whether the first frame's result is here, or will not come any more."""
    first, last = frames[0], frames[-1]
    return (
        (first.epoch, str(first.seq)) in results
        or last.pts - first.pts > _AHEAD_MS
        or len(frames) > _AHEAD_FRAMES
    )


class Playback:
    """One viewer's way through one recording. For one thread."""

    def __init__(
        self,
        recording: Recording,
        *,
        start: float = 0.0,
        speed: float = 1.0,
        fps: float | None = None,
        closing: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Play from `start` seconds, `speed` times as fast, until `closing` is set.

        At most `fps` frames are shown in a second. Raise OSError when it was removed meanwhile.
        """
        self._shots = read_shots(recording.sidecar, start)
        self._video: BinaryIO = recording.mkv.open("rb", buffering=0)
        self._speed = speed
        self._pace = Pace(fps)
        self._closing = closing or threading.Event()
        self._clock = clock
        #: Seconds into the recording.
        self.at = start

    def __iter__(self) -> Iterator[tuple[Shot, bytes] | None]:
        """Yield each frame and its JPEG when it is due, and None after each second of quiet."""
        began = math.nan
        for shot in self._shots:
            if math.isnan(began):
                began = self._clock() - shot.at / self._speed
            due = began + shot.at / self._speed
            while (left := due - self._clock()) > 0:
                if self._closing.wait(min(left, _QUIET)):
                    return
                if left > _QUIET:
                    self.at = (self._clock() - began) * self._speed
                    yield None
            if self._closing.is_set():
                return
            now = self._clock()
            if now - due > _TOO_LATE or not self._pace.admits(now):
                continue
            jpeg = self._read(shot)
            if jpeg is None:
                return
            self.at = shot.at
            yield shot, jpeg

    @property
    def is_closing(self) -> bool:
        """Tell whether the receiver shuts down."""
        return self._closing.is_set()

    def close(self) -> None:
        self._video.close()

    def _read(self, shot: Shot) -> bytes | None:
        """Return the picture, None where the .mkv broke off before it."""
        size, offset = shot.frame.size, shot.frame.offset
        if offset is None:
            return None
        jpeg = os.pread(self._video.fileno(), size, offset)
        return jpeg if len(jpeg) == size and jpeg.startswith(b"\xff\xd8") else None
