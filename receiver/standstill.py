"""Standstill: knows when this process last stood still, and which frames that made old."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from shared.frame import EncodedFrame

#: A process that was not heard of for so many seconds was stopped, suspended or starved.
_LONG = 2.5
#: What was sent so many seconds before the end of a standstill is still fresh.
_FRESH = 0.5
#: For so many seconds after it there may be old frames in the connections.
_AFTER = 5.0


class Standstill:
    """Who stood still finds frames waiting in its connections, which their senders gave up long
    ago: the newest of them is on its way. Any thread.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._time_of_day = time_of_day
        #: None until somebody beats.
        self._beat_at: float | None = None
        self._ended_at = -math.inf

    def beat(self) -> None:
        """Say that the process lives; call it about once a second."""
        now = self._clock()
        if self._beat_at is not None and now - self._beat_at > _LONG:
            self._ended_at = now
        self._beat_at = now

    def made_old(self, frame: EncodedFrame) -> bool:
        """Say whether `frame`, which just came, was sent long before a standstill ended.

        False of a frame whose sender's clock is unknown.
        """
        now = self._clock()
        if self._beat_at is not None and now - self._beat_at > _LONG:
            self.beat()
        if now - self._ended_at > _AFTER or frame.sent_at is None or not frame.clock_offset:
            return False
        under_way = self._time_of_day() - frame.sent_at - frame.clock_offset
        return now - under_way < self._ended_at - _FRESH
