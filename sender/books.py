"""Books: what became of every captured frame of a camera."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.rate import Rate

#: How many of the newest ages the median is taken from: 10 s at 30 frames a second.
_AGES = 300


@dataclass(frozen=True, slots=True)
class Books:
    """captured = posted + superseded + refused + failed + waiting, to the frame, at every moment.

    posted: answered 2xx · superseded: replaced before it was taken · refused: answered otherwise,
    by status · failed: not answered, by reason · waiting: in the slot or on its way.
    """

    captured: int
    posted: int
    superseded: int
    refused: Mapping[int, int]
    failed: Mapping[str, int]
    waiting: int


class Counts(Protocol):
    """The poster's place in the slot, as a LatestReader keeps it."""

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, skipped, waiting) of one moment."""


class Ledger:
    """Keeps a camera's books. The poster enters, anyone reads."""

    def __init__(self, place: Counts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = place
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
            taken, skipped, waiting = self._place.counts()
            done = self._posted + self._refused.total() + self._failed.total()
            return Books(
                captured=taken + skipped + waiting,
                posted=self._posted,
                superseded=skipped,
                refused=dict(self._refused),
                failed=dict(self._failed),
                waiting=waiting + taken - done,
            )

    def age(self) -> float | None:
        """Return the median of the newest posted frames' ages in seconds, None before the first."""
        with self._lock:
            return statistics.median(self._ages) if self._ages else None

    @property
    def last_was_posted(self) -> bool:
        """Whether the newest frame that is no longer waiting was answered 2xx."""
        return self._last is True
