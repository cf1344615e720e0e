"""Refusals: requests that were turned away at the gate, counted, and told of now and then."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Literal, get_args

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

#: No token; a header that holds none; a wrong one; too many wrong ones from there; a token whose
#: role does not do, or for other cameras; a browser that another site sends; a name not ours;
#: more requests or frames than an address may bring.
Reason = Literal[
    "missing", "malformed", "unknown", "limited", "role", "camera", "origin", "host", "rate"
]
#: Seconds between two lines about an address, and how many lines there may be in that time.
_PAUSE, _LINES = 60.0, 20


class Refusals(Collector):
    """Any thread; Prometheus collects the counts."""

    def __init__(
        self, *, prefix: str = "framepost", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """The metric's name begins with `prefix`."""
        self._prefix = prefix
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[Reason] = Counter()
        #: When an address was last told of, the oldest first; at most _LINES.
        self._told: OrderedDict[str, float] = OrderedDict()

    def happened(self, address: str, reason: Reason, sentence: str, *, quiet: bool = False) -> None:
        """Count it; and tell of it, unless this address, or many others, were told of just now.

        `quiet`: do not tell of it.
        """
        with self._lock:
            self._counts[reason] += 1
            is_news = not quiet and self._is_news(address)
        if is_news:
            logger.warning("access: refused %s: %s", address, sentence)

    def collect(self) -> Iterable[Metric]:
        refused = CounterMetricFamily(
            f"{self._prefix}_refused_access",
            "Requests that were refused for want of a token or a right",
            labels=["reason"],
        )
        with self._lock:
            for reason in get_args(Reason):
                refused.add_metric([reason], self._counts[reason])
        yield refused

    def _is_news(self, address: str) -> bool:
        now = self._clock()
        while self._told and now - next(iter(self._told.values())) >= _PAUSE:
            self._told.popitem(last=False)
        if address in self._told or len(self._told) >= _LINES:
            return False
        self._told[address] = now
        return True
