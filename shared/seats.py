"""Seats: bounds how many of the server's threads are held for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric


class Watched(Protocol):
    """Who is told of viewers, such as a camera."""

    def count_viewers(self, change: int) -> None:
        """Note that so many more, or less, watch it live."""


class Seats:
    """For viewers, readers of events, streams of frames, waiting callers: each holds a thread.

    What is left of the server's threads is for requests that are answered at once, so that no
    number of patient clients can keep frames out. Any thread.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        #: How often there was none left.
        self.refused = 0
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken

    def take(self, camera: Watched | None = None) -> Callable[[], None] | None:
        """Take a seat, as a viewer of `camera` where one is given; None when all are taken.

        Call what is returned to leave it; more than once does no harm.
        """
        with self._lock:
            if self._taken >= self.limit:
                self.refused += 1
                return None
            self._taken += 1
        if camera is not None:
            camera.count_viewers(+1)
        left = False

        def leave() -> None:
            nonlocal left
            with self._lock:
                if left:
                    return
                left = True
                self._taken -= 1
            if camera is not None:
                camera.count_viewers(-1)

        return leave


class AllSeats:
    """The seats of each kind, for Prometheus; the metrics' names begin with `prefix`."""

    def __init__(self, prefix: str = "framepost", /, **kinds: Seats) -> None:
        self._prefix = prefix
        self._kinds = kinds

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics."""
        taken = GaugeMetricFamily(f"{self._prefix}_seats_taken", "Seats taken", labels=["kind"])
        limit = GaugeMetricFamily(f"{self._prefix}_seats_limit", "Seats there are", labels=["kind"])
        refused = CounterMetricFamily(
            f"{self._prefix}_seats_refused", "Times that no seat was left", labels=["kind"]
        )
        for kind, seats in self._kinds.items():
            taken.add_metric([kind], seats.taken)
            limit.add_metric([kind], seats.limit)
            refused.add_metric([kind], seats.refused)
        yield from (taken, limit, refused)
