"""Rate: how often each of many may come, and how often in a row."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from shared.access.network import ADDRESSES


class Rate:
    """Any thread.

    Of each who comes one time is kept: when it would have come had it kept to the rate exactly (the
    generic cell rate algorithm, ITU-T I.371, appendix A). Of more than `ADDRESSES` who come, those
    who did not for longest are forgotten.
    """

    def __init__(
        self,
        per_second: float,
        *,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`burst` may come in a row, from 1, of who has kept away for so long."""
        self.per_second = per_second
        self._interval = 1 / per_second
        self._slack = (burst - 1) / per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> float:
        """Return 0.0 if `who` may come now, which is counted; else in how many seconds it may."""
        now = self._clock()
        with self._lock:
            due = self._due.get(who)
            if due is None:
                if len(self._due) >= ADDRESSES:
                    self._due.popitem(last=False)
                due = now
            else:
                self._due.move_to_end(who)
                due = max(due, now)
            early = due - now - self._slack
            if early > 1e-9:
                return early
            self._due[who] = due + self._interval
        return 0.0

    def __len__(self) -> int:
        return len(self._due)
