"""Watchdog: notices a thread that hangs where no time-out reaches it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

Verdict = Literal["well", "nudge", "abandon"]


class Watchdog:
    """Judge one call after another from outside the thread that makes them."""

    def __init__(
        self, *, patience: float, grace: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """A call may last `patience` seconds, and `grace` more after it was nudged."""
        self._patience = patience
        self._grace = grace
        self._clock = clock
        self._nudged: float | None = None
        self._nudged_at = 0.0

    def look(self, busy_since: float | None) -> Verdict:
        """Judge the call that began at `busy_since` (None: there is none now).

        "nudge" comes once for a call, "abandon" when that did not help.
        """
        now = self._clock()
        if busy_since is None or now - busy_since <= self._patience:
            return "well"
        if self._nudged != busy_since:
            self._nudged, self._nudged_at = busy_since, now
            return "nudge"
        return "abandon" if now - self._nudged_at > self._grace else "well"
