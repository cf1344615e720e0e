"""Plan: how long a soak is, and which faults come when."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

#: The fault that comes after each other one. A decoder keeps pictures of all that its connection
#: went through, megabytes of them, and only when all is new is it the same as the last time.
CUT = "connections cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Times are seconds. In a run shorter than an hour as much leaks as in an hour."""

    #: How often each fault comes before anything is measured, and how long the run is from then on.
    rounds: int
    seconds: float
    every: float
    #: What a process that was started meanwhile takes until it is as it will be.
    warm_up: float
    #: Of so long the lowest counts.
    window: float
    sample: float
    outage: float

    @classmethod
    def of(cls, minutes: float) -> Plan:
        """Return the plan of a run: as long as that, in the proportions of an hour."""
        share = min(1.0, minutes / 60)
        every = max(8.0, 120 * share)
        return cls(
            rounds=min(10, math.ceil(3 * minutes)),
            seconds=minutes * 60,
            every=every,
            warm_up=min(120.0, minutes * 60 / 10),
            window=every,
            sample=max(0.5, 5 * share),
            outage=max(3.0, 20 * share),
        )

    @property
    def scale(self) -> float:
        """How much more than in an hour's run is planted per hour."""
        return max(1.0, 3600 / self.seconds)


def schedule(kinds: Sequence[str], plan: Plan, rng: random.Random) -> list[str]:
    """Return which fault comes next, and next, of a whole run; all are cut after each.

    The receiver is killed at the end only: a process must grow old to show that it does not grow.
    """
    count = int(plan.seconds / plan.every) - 1
    others = [kind for kind in kinds if kind not in ("receiver killed", CUT)]
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.sample(others, len(others))
    drawn = drawn[:count]
    if "receiver killed" in kinds and count:
        drawn[-1] = "receiver killed"
    return drawn
