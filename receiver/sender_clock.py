"""SenderClock: what is known of the clock by which a camera's sender gives its times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.clock import ClockOffset, Estimate, Exchange
from shared.wire import Envelope

#: Seconds by which a clock is set at once, and not slewed.
_STEP = 0.1
#: Goes on while the machine sleeps, as the time of day does.
_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class DayStart:
    """By how many seconds the time of day is ahead of the machine's own, and how exactly that was
    read.
    """

    ahead: float
    error: float


def read_day_start() -> DayStart:
    """Read both clocks; what changes from one reading to the next is by how much one was set."""
    before = time.clock_gettime(_UPTIME)
    now = time.time()
    after = time.clock_gettime(_UPTIME)
    return DayStart(now - (before + after) / 2, (after - before) / 2)


class SenderClock:
    """Tells how far this machine's clock is ahead of a sender's. Any thread.

    It is known from the exchanges that a sender reports; of a sender that reports none, only that
    nothing arrives before it was sent. When our own clock is set, that is seen by itself.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        day_start: Callable[[], DayStart] = read_day_start,
    ) -> None:
        self.offset = ClockOffset(clock=clock)
        self._lock = threading.Lock()
        self._read_day_start = day_start
        self._day_start = day_start()
        #: Frames that had arrived before they were sent, as far as was known by then.
        self.skewed = 0

    def offset_of(self, envelope: Envelope, received: float) -> float:
        """Return the seconds to add to the envelope's times to get this machine's.

        `received` is when the frame came, in Unix seconds of this machine. 0 is returned while
        nothing is known, for many machines' clocks are right.
        """
        self._look_at_our_own()
        former = self.offset.former()
        exchange = envelope.exchange
        if exchange is not None and not _is_of(exchange, former):
            self.offset.add(exchange, age=received - exchange.replied)
        estimate = self._estimate(envelope, received)
        offset, error = (estimate.offset, estimate.error) if estimate else (0.0, 0.0)
        times = (envelope.captured_at, envelope.sent_at)
        sent = max((at for at in times if at is not None), default=0.0)
        if sent + offset <= received:
            return offset
        if sent + offset - error > received:
            with self._lock:
                self.skewed += 1
        return received - sent

    def _look_at_our_own(self) -> None:
        with self._lock:
            before, now = self._day_start, self._read_day_start()
            if now.error > _STEP / 10:  # the thread was held up between: the next frame tells
                return
            self._day_start = now
        step = now.ahead - before.ahead
        if abs(step) > _STEP:
            self.offset.shift(step, error=now.error + before.error)

    def _estimate(self, envelope: Envelope, received: float) -> Estimate | None:
        now, before = self.offset.estimate(), self.offset.former()
        if now is None or before is None or envelope.sent_at is None:
            return now
        # One that was sent before a clock was set may be read after one that was sent later: it is
        # by the clock that leaves it the less time on its way.
        transit = received - envelope.sent_at
        return min(now, before, key=lambda estimate: abs(transit - estimate.offset))

    def facts(self) -> dict[str, Any]:
        """Return what is known, JSON-able."""
        estimate = self.offset.estimate()
        return {
            "offset_ms": estimate and round(estimate.offset * 1000, 2),
            "error_ms": estimate and round(estimate.error * 1000, 2),
            "jumps": self.offset.jumps,
            "skew": self.skewed,
            "absurd": self.offset.absurd,
        }


def _is_of(exchange: Exchange, former: Estimate | None) -> bool:
    """Tell whether a request tells of an exchange by the clock as it was before it was set."""
    if former is None:
        return False
    return abs(exchange.offset - former.offset) <= former.error + abs(exchange.round_trip)
