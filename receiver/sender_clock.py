"""SenderClock: what is known of the clock by which a camera's sender gives its times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from shared.clock import ClockOffset, Estimate, Exchange
from shared.wire import Envelope


class SenderClock:
    """Tells how far this machine's clock is ahead of a sender's. Any thread.

    It is known from the exchanges that a sender reports; of a sender that reports none, only that
    nothing arrives before it was sent.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.offset = ClockOffset(clock=clock)
        self._lock = threading.Lock()
        #: Frames that had arrived before they were sent, as far as was known by then.
        self.skewed = 0

    def offset_of(self, envelope: Envelope, received: float) -> float:
        """Return the seconds to add to the envelope's times to get this machine's.

        `received` is when the frame came, in Unix seconds of this machine. 0 is returned while
        nothing is known, for many machines' clocks are right.
        """
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
