"""Pace: when each frame is due, so that the rate is kept without drift."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Give frames their places on a grid of 1/fps seconds of the monotonic clock."""

    def __init__(self, fps: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1.0 / fps
        self._clock = clock
        self._next: float | None = None
        #: Places that passed before anyone could fill them.
        self.missed = 0

    def rest(self) -> None:
        """Forget the grid; the next frame is due at once."""
        self._next = None

    def next(self) -> float:
        """Return the monotonic time at which the next frame is due.

        A place that is past by less than an interval is still given, so that a hiccup does not
        lower the rate; older ones are missed.
        """
        now = self._clock()
        if self._next is None:
            self._next = now
        late = int(max(0.0, now - self._next) / self._interval)
        self.missed += late
        due = self._next + late * self._interval
        self._next = due + self._interval
        return due
