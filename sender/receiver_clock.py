"""ReceiverClock: the times that requests carry, and what the replies' times tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shared import wire
from shared.clock import ClockOffset, Exchange

#: A clock that differs by less from what it was, in seconds, has not been set.
_SAME = 1e-3


class ReceiverClock:
    """Writes a request's times, and learns from the replies how far ahead the receiver's clock is.

    Moments are kept in monotonic seconds and become Unix seconds when a request is written, all
    by the clock as it stands then. So no request mixes times of a clock before and after it
    was set. A camera's posters share it, so that the first frame of each tells what is known.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        unix: Callable[[], float] = time.time,
    ) -> None:
        self.offset = ClockOffset(clock=clock)
        self._clock = clock
        self._unix = unix
        #: The Unix time of the monotonic clock's zero.
        self._zero = unix() - clock()
        self._lock = threading.Lock()
        #: Whether any reply has come yet.
        self.has_heard = False
        #: The last exchange's sent, received, replied, seen; ours are monotonic.
        self._last: tuple[float, float, float, float] | None = None
        self._is_told = True
        #: Since when (monotonic) each request tells of it, for one may overtake another; until a
        #: reply to one of them is here.
        self._set_at: float | None = None

    def stamp(self, headers: dict[str, str], captured: float) -> float:
        """Write into `headers` when the frame was captured (monotonic seconds), that it is sent
        now, and the newest exchange that was not told yet. Return the moment, for `heard`.
        """
        with self._lock:
            self._look()
            sent = self._clock()
            headers[wire.CAPTURED_AT] = wire.format_time(self._zero + captured)
            headers[wire.SENT_AT] = wire.format_time(self._zero + sent)
            if self._last is not None and (self._set_at is not None or not self._is_told):
                headers[wire.LAST_EXCHANGE] = wire.format_exchange(self._exchange(*self._last))
                self._is_told = True
        return sent

    def heard(self, headers: wire.Headers, sent: float) -> None:
        """Learn from the reply to what was `sent` then; call it as soon as that has come."""
        seen = self._clock()
        self.has_heard = True
        times = wire.reply_times(headers)
        if times is None:
            return
        with self._lock:
            self._last = (sent, *times, seen)
            self._is_told = False
            if self._set_at is not None and sent >= self._set_at:
                self._set_at = None
            self._look()
            self.offset.add(self._exchange(*self._last))

    def _look(self) -> None:
        """Notice that this machine's clock was set."""
        before, unix, after = self._clock(), self._unix(), self._clock()
        # Whoever is interrupted between the readings knows the less.
        if not unix - after - _SAME <= self._zero <= unix - before + _SAME:
            readings = [(self._clock(), self._unix(), self._clock()) for _ in range(5)]
            before, unix, after = min(readings, key=lambda reading: reading[2] - reading[0])
            self._zero = unix - after
            # It says by how much: a frame may go before the next reply is here.
            self._set_at = after

    def _exchange(self, sent: float, received: float, replied: float, seen: float) -> Exchange:
        return Exchange(
            sent=self._zero + sent, received=received, replied=replied, seen=self._zero + seen
        )
