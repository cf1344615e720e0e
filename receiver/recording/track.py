"""Track: decides for one camera which frames are recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from receiver.recording.preroll import Preroll, Told
from receiver.recording.reel import Reel
from receiver.recording.tally import Tally
from shared.frame import EncodedFrame

#: Seconds by which a frame may come to us later than it came to the receiver.
_LATE = 0.5


class Track:
    """For the recorder's thread; `facts` may be asked for by any."""

    def __init__(
        self,
        reel: Reel,
        tally: Tally,
        *,
        preroll: Preroll | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`preroll` holds frames for events; None where only a person may ask."""
        self._reel = reel
        self._tally = tally
        self._preroll = preroll
        self._clock = clock
        self._until = -math.inf
        self._reason = ""
        #: Whether the camera is recorded now without anybody's asking.
        self.is_on = False

    def take(self, frame: EncodedFrame) -> None:
        """Write a frame, hold it for an event, or pass it over."""
        if self.is_on or frame.arrived <= self._until:
            self._reel.write(frame)
        elif self._preroll is not None:
            self._preroll.hold(frame)
        else:
            self._tally.passed += 1

    def tell(self, told: Told) -> None:
        """Write a result beside its frame, or hold it as that is held."""
        if self._preroll is not None:
            self._preroll.judge(told.arrived)
        if self._reel.tell(told):
            return
        if self._preroll is not None:
            self._preroll.hold(told)
        elif self.is_on:
            self._tally.results_lost += 1

    def ask(self, seconds: float, reason: str) -> None:
        """Record what is held and the next `seconds`; extends what somebody asked for before."""
        now = self._clock()
        if now > self._until:
            self._reason = reason
            self._reel.mark(reason)
        self._until = max(self._until, now + seconds)
        for item in [] if self._preroll is None else self._preroll.take():
            if isinstance(item, Told):
                self._reel.tell(item)
            else:
                self._reel.write(item)

    def tick(self, limit: int) -> int:
        """Do what time asks for; hold at most `limit` bytes; return the bytes written since."""
        now = self._clock()
        written = self._reel.tick()
        if not self.is_on and now > self._until + _LATE:
            self._reel.cut()
        if self._preroll is not None:
            self._preroll.limit = limit
            self._tally.passed += self._preroll.trim(now)
        return written

    def cut(self, least: float) -> None:
        """End the segment if it is `least` seconds old; the next frame begins another."""
        self._reel.cut(least)

    def close(self) -> None:
        """End everything; what is held is let go."""
        self._reel.close()
        if self._preroll is not None:
            held = self._preroll.take()
            self._tally.passed += sum(isinstance(item, EncodedFrame) for item in held)

    def facts(self) -> dict[str, Any]:
        """Return its state, JSON-able."""
        left = self._until - self._clock()
        name = self._reel.name
        why = self._reason if left > 0 else "schedule" if self.is_on else None
        return {
            "on": name is not None,
            "reason": why,
            "name": name,
            "event_seconds": round(left, 1) if left > 0 else None,
            "recorded": self._tally.recorded,
            "passed": self._tally.passed,
            "lost": dict(self._tally.lost),
        }
