"""SenderClock: what is known of the clock by which a camera's sender gives its times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from shared.clock import ClockOffset
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
        if envelope.exchange is not None:
            self.offset.add(envelope.exchange, age=received - envelope.exchange.replied)
        estimate = self.offset.estimate()
        offset, error = (estimate.offset, estimate.error) if estimate else (0.0, 0.0)
        times = (envelope.captured_at, envelope.sent_at)
        sent = max((at for at in times if at is not None), default=0.0)
        if sent + offset <= received:
            return offset
        if sent + offset - error > received:
            with self._lock:
                self.skewed += 1
        return received - sent

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
