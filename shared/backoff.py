"""Backoff: growing, jittered pauses between tries."""

from __future__ import annotations

import random


class Backoff:
    """Say how long to pause before the next try.

    The n-th pause is drawn from [half, whole] of first × 2ⁿ, never more than `ceiling` seconds:
    half of it jitter, so that many clients of one dead server do not come back in one burst.
    """

    def __init__(
        self, first: float = 0.25, ceiling: float = 30.0, *, rng: random.Random | None = None
    ) -> None:
        self._first = first
        self._ceiling = ceiling
        self._rng = rng or random.Random()
        #: Failures since the last `reset`.
        self.failures = 0

    def next(self) -> float:
        """Count a failure and return the pause that it costs, in seconds."""
        whole = min(self._ceiling, self._first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return whole * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Forget the failures: it works again."""
        self.failures = 0
