"""Rate: events per second over the last seconds; falls to zero when events stop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Rate:
    """Count events in a sliding window. `tick` and `per_second` may be called from any thread."""

    def __init__(self, window: float = 5.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._born = clock()
        self._ticks: deque[float] = deque()
        self._lock = threading.Lock()

    def tick(self) -> None:
        with self._lock:
            now = self._clock()
            self._ticks.append(now)
            self._expire(now)

    def per_second(self) -> float:
        """Return the rate over the window, or over the time since the first second began."""
        with self._lock:
            now = self._clock()
            self._expire(now)
            return len(self._ticks) / min(self._window, max(1.0, now - self._born))

    def _expire(self, now: float) -> None:
        while self._ticks and self._ticks[0] <= now - self._window:
            self._ticks.popleft()
