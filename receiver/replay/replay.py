"""Replay: every frame through the hook, every result to those who want it, in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from receiver.replay.crew import Crew
from receiver.replay.footage import Footage
from receiver.replay.progress import Progress
from receiver.replay.window import Window
from receiver.result import Result

#: Seconds between two looks at the crew and the clock.
_LOOK = 0.1


class Taker(Protocol):
    """Who gets each result and its time in seconds on the film; raises FramepostError."""

    def __call__(self, result: Result, at: float, /) -> Any: ...


class Replay:
    """One run. For one thread, except that `stop` may be set from anywhere."""

    def __init__(
        self,
        footage: Footage,
        window: Window,
        crew: Crew,
        *,
        takers: Sequence[Taker],
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._footage = footage
        self._window = window
        self._crew = crew
        self._takers = takers
        self._progress = progress
        self._stop = stop
        self.processed = 0
        self.failed = 0
        #: Monotonic.
        self._looked = 0.0

    def run(self) -> bool:
        """Return True at the end of the footage, False when stopped; what is done is kept.

        Raise RecordingError, HookError, and what takers raise.
        """
        window = self._window
        frames = self._footage.frames()
        #: Of the frames in the window.
        moments: deque[float] = deque()
        is_over = False
        self._crew.start()
        try:
            while not (is_over and window.is_empty):
                while not (is_over or window.is_full or self._stop.is_set()):
                    frame = next(frames, None)
                    if frame is None:
                        is_over = True
                    else:
                        moments.append(frame.pts)
                        window.put(frame)
                # What came before a stop is kept; a hook's work at that moment is not waited for.
                result = window.get(0 if self._stop.is_set() else _LOOK)
                if result is not None:
                    self._give(result, moments.popleft())
                elif self._stop.is_set():
                    return False
                self._look()
        finally:
            self._crew.stop()
        return True

    def _give(self, result: Result, at: float) -> None:
        if result.state == "processed":
            self.processed += 1
        else:
            self.failed += 1
        for taker in self._takers:
            taker(result, at)
        self._progress.step()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._crew.look()
            self._progress.look()
