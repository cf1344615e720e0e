"""Backoff: growing, jittered pauses between tries."""

from __future__ import annotations

import random

#: What a server asks for is stretched by up to a second, or a quarter of it: it tells all of its
#: clients the same, and they shall not come back as one.
_SPREAD = 1.0
_SPREAD_SHARE = 0.25


class Backoff:
    """Say how long to pause before the next try.

    The n-th pause is drawn from [half of first, first × 2ⁿ], the latter never more than `ceiling`
    seconds. So nearly all of it is jitter, which many clients of one dead server need in order not
    to come back in one burst, and none is so short that one of them would never rest.
    """

    def __init__(
        self, first: float = 0.25, ceiling: float = 30.0, *, rng: random.Random | None = None
    ) -> None:
        self._first = first
        self._ceiling = ceiling
        self._rng = rng or random.Random()
        #: Failures since the last `reset`.
        self.failures = 0

    def next(self, at_least: float = 0.0) -> float:
        """Count a failure and return the pause that it costs, in seconds.

        `at_least` is what was asked for: jitter makes that longer and never shorter.
        """
        whole = min(self._ceiling, self._first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        pause = self._rng.uniform(min(self._first / 2, whole), whole)
        if at_least > 0:
            spread = max(_SPREAD, at_least * _SPREAD_SHARE)
            pause = max(pause, at_least + self._rng.uniform(0.0, spread))
        return pause

    def reset(self) -> None:
        """Forget the failures: it works again."""
        self.failures = 0
