"""Books: what became of every captured frame of a camera."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sender.spool.stock import Stock
from shared.rate import Rate

#: How many of the newest ages the median is taken from: 10 s at 30 frames a second.
_AGES = 300


@dataclass(frozen=True, slots=True)
class Books:
    """captured + recovered = posted + superseded + expired + refused + failed + waiting, to the
    frame, at every moment.

    recovered: found in the spool at the start · posted: answered 2xx · superseded: replaced before
    it was taken · expired: given up by the spool, for its limits · refused: answered otherwise, by
    status · failed: lost on the way, by reason · waiting: in the slot, in the spool or on its way.
    """

    captured: int
    posted: int
    superseded: int
    refused: Mapping[int, int]
    failed: Mapping[str, int]
    waiting: int
    recovered: int = 0
    expired: int = 0


class Counts(Protocol):
    """The poster's place in the slot, as a LatestReader keeps it."""

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, skipped, waiting) of one moment."""


class Ledger:
    """Keeps a camera's books. The poster enters, anyone reads."""

    def __init__(
        self,
        place: Counts,
        *,
        stock: Callable[[], Stock] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stock` tells of the spool, where there is one: then what skipped the place failed."""
        self._place = place
        self._stock = stock
        self._lock = threading.Lock()
        self._posted = 0
        self._refused: Counter[int] = Counter()
        self._failed: Counter[str] = Counter()
        self._ages: deque[float] = deque(maxlen=_AGES)
        self._last: bool | None = None
        self.rate = Rate(clock=clock)

    def post(self, age: float) -> None:
        """Enter a frame that was answered 2xx, `age` seconds after its capture."""
        with self._lock:
            self._posted += 1
            self._ages.append(age)
            self._last = True
        self.rate.tick()

    def refuse(self, status: int) -> None:
        with self._lock:
            self._refused[status] += 1
            self._last = False

    def fail(self, reason: str) -> None:
        with self._lock:
            self._failed[reason] += 1
            self._last = False

    def books(self) -> Books:
        with self._lock:
            # What is settled first: what comes in meanwhile then counts as waiting.
            stock = None if self._stock is None else self._stock()
            taken, skipped, waiting = self._place.counts()
            captured = taken + skipped + waiting
            failed = self._failed.copy()
            if stock is not None:
                failed += Counter(spool_slow=skipped, damaged=stock.damaged)
                skipped = 0
            recovered, expired = (stock.recovered, stock.expired) if stock is not None else (0, 0)
            done = self._posted + skipped + expired + self._refused.total() + failed.total()
            return Books(
                captured=captured,
                posted=self._posted,
                superseded=skipped,
                refused=dict(self._refused),
                failed=dict(failed),
                waiting=captured + recovered - done,
                recovered=recovered,
                expired=expired,
            )

    def age(self) -> float | None:
        """Return the median of the newest posted frames' ages in seconds, None before the first."""
        with self._lock:
            return statistics.median(self._ages) if self._ages else None

    @property
    def last_was_posted(self) -> bool:
        """Whether the newest frame that is no longer waiting was answered 2xx."""
        return self._last is True
