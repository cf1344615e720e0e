"""ClockOffset: how far a server's clock is ahead of its client's, from their ordinary exchanges.

The arithmetic is that of NTP (RFC 5905, section 8).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: By how much two clocks may drift apart, in seconds a second: as fast as NTP slews one.
DRIFT = 500e-6
#: What it costs that times have six decimals, and that two clocks cannot be read at once.
_READING = 20e-6
#: Seconds after which nothing is on its way any more that was sent before a clock was set.
_SETTLED = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its reply. `sent` and `seen` are Unix seconds by the client's clock,
    `received` and `replied` by the server's.
    """

    sent: float
    received: float
    replied: float
    seen: float

    @property
    def offset(self) -> float:
        """What to add to the client's times to get the server's, if both ways took equally long."""
        return ((self.received - self.sent) + (self.replied - self.seen)) / 2

    @property
    def round_trip(self) -> float:
        """The seconds that the two ways took together. The offset is wrong by at most the half."""
        return (self.seen - self.sent) - (self.replied - self.received)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The clocks' offset, to add to the client's times, and by how much it may be wrong."""

    offset: float
    error: float


@dataclass(frozen=True, slots=True)
class _Sample:
    offset: float
    error: float
    #: Monotonic seconds: when the exchange was over.
    at: float

    def error_at(self, now: float) -> float:
        return self.error + DRIFT * (now - self.at)


class ClockOffset:
    """Keep the best exchange of the last `window` seconds: the one with the shortest round trip,
    where an older one counts as less exact by what the clocks may have drifted since.

    While the exchanges cannot all be true, a clock was set: then the newest one begins anew. Any
    thread.
    """

    def __init__(
        self, *, window: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        #: The best first, and behind it those that will be when it is too old.
        self._samples: deque[_Sample] = deque()
        #: How often a clock was set.
        self.jumps = 0
        #: Exchanges that no two clocks can have had.
        self.absurd = 0
        #: What was known before a clock was set, and when that was found out.
        self._former: tuple[_Sample, float] | None = None

    def add(self, exchange: Exchange, *, age: float = 0.0) -> None:
        """Enter an exchange that was over `age` seconds ago."""
        with self._lock:
            now = self._clock()
            slack = DRIFT * (exchange.seen - exchange.sent) + _READING
            is_possible = exchange.seen >= exchange.sent and exchange.replied >= exchange.received
            if not is_possible or exchange.round_trip < -slack:
                self.absurd += 1
                return
            error = max(0.0, exchange.round_trip) / 2 + slack
            sample = _Sample(exchange.offset, error, now - max(0.0, age))
            if self._samples and not _agree(sample, self._samples[0], now):
                self._former = self._samples[0], now
                self._samples.clear()
                self.jumps += 1
            while self._samples and self._samples[-1].error_at(now) >= sample.error_at(now):
                self._samples.pop()
            self._samples.append(sample)
            while len(self._samples) > 1 and self._samples[0].at < now - self._window:
                self._samples.popleft()

    def shift(self, seconds: float, *, error: float) -> None:
        """Heed that the server's clock was set forward by so many seconds, give or take `error`."""
        with self._lock:
            if not self._samples:
                return
            self._former = self._samples[0], self._clock()
            self._samples = deque(
                _Sample(sample.offset + seconds, sample.error + error, sample.at)
                for sample in self._samples
            )
            self.jumps += 1

    def estimate(self) -> Estimate | None:
        """Return what is known by now, None before the first exchange.

        Without new exchanges it is kept, and its error grows.
        """
        with self._lock:
            if not self._samples:
                return None
            best = self._samples[0]
            return Estimate(best.offset, best.error_at(self._clock()))

    def former(self) -> Estimate | None:
        """Return what was known before a clock was set, if that was found out just now."""
        with self._lock:
            if self._former is None:
                return None
            sample, jumped_at = self._former
            now = self._clock()
            if now - jumped_at > _SETTLED:
                self._former = None
                return None
            return Estimate(sample.offset, sample.error_at(now))


def _agree(one: _Sample, other: _Sample, now: float) -> bool:
    """Say whether there is an offset that both allow."""
    return abs(one.offset - other.offset) <= one.error_at(now) + other.error_at(now)
