"""Pace: when the next frame of a recording or of a test pattern is due."""

from __future__ import annotations

import time
from collections.abc import Callable

from sender.sources.interrupt import Interrupt

#: Behind by more than this many seconds the plan is dropped: nobody wants a burst of old frames.
_HOPELESS = 1.0


class Pace:
    """Wait until a frame is due, by its own time line of seconds.

    Frames that are late come at once and do not delay those after them.
    """

    def __init__(
        self, interrupt: Interrupt, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interrupt = interrupt
        self._clock = clock
        self._zero: float | None = None

    def restart(self) -> None:
        """Take the next frame as due now."""
        self._zero = None

    def wait(self, due: float) -> float:
        """Return when `due` has come, as monotonic seconds; raise SourceError when interrupted."""
        now = self._clock()
        if self._zero is None or now - self._zero - due > _HOPELESS:
            self._zero = now - due
        self._interrupt.wait(self._zero + due - now)
        return self._zero + due
