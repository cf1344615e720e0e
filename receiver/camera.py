"""Camera: one camera's newest frame, newest result and books, as the receiver knows them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from receiver.books import Books, Elsewhere
from receiver.latency import Latencies
from receiver.order import Order, Outcome, is_before
from receiver.pending import Pending
from receiver.region import SharedFrame
from receiver.result import Result
from receiver.sender_clock import SenderClock
from receiver.standstill import Standstill
from receiver.stillness import Stillness
from receiver.ticket import Ticket
from shared.frame import EncodedFrame
from shared.latest import Latest
from shared.rate import Rate
from shared.view.freshness import State, state_at
from shared.view.renditions import View

#: Who asked for a single picture is taken to watch for this many seconds.
_GLANCE = 5.0


class Observer(Protocol):
    """Who is told of every frame and result, such as the metrics; must not block."""

    def received(self, frame: EncodedFrame) -> None: ...
    def finished(self, result: Result) -> None: ...
    def forgotten(self, camera: str) -> None: ...
    def closed(self) -> None:
        """No more frames are taken; results of those that were may still come."""


class Camera:
    """One camera: `latest` feeds the viewers, `pending` the hook."""

    def __init__(
        self,
        name: str,
        *,
        max_queue: int = 16,
        observers: Sequence[Observer] = (),
        clock: Callable[[], float] = time.monotonic,
        is_elsewhere: bool = False,
        standstill: Standstill | None = None,
    ) -> None:
        """`is_elsewhere`: other receivers take its frames, and this one only knows of it."""
        self.name = name
        self.latest: Latest[EncodedFrame] = Latest()
        self.pending = Pending(limit=max_queue)
        #: Which frames came to this receiver, and how many did not.
        self.order = Order(standstill)
        #: The newest frame as the hook left it, and the newest result.
        self.annotated: Latest[EncodedFrame] = Latest()
        self.results: Latest[Result] = Latest()
        self.latencies = Latencies()
        self.arrivals = Rate(clock=clock)
        self.viewers = 0
        #: How many of its frames some viewer was shown.
        self.shown = 0
        self._shown_until = self._glanced_at = -math.inf
        self.sender_clock = SenderClock(clock=clock)
        #: Seconds that its sender was asked to leave between two frames.
        self.interval = 0.0
        self._observers = observers
        self._clock = clock
        self._lock = threading.Lock()
        self._seen_at = -math.inf if is_elsewhere else clock()
        #: What the other receivers say; None where none knows it.
        self.elsewhere: Elsewhere | None = None
        self._stillness = Stillness()
        self._shown: EncodedFrame | None = None
        self._received = self._processed = self._failed = self._late = self._duplicate = 0

    def accept(
        self, frame: EncodedFrame, *, every: bool = False, ticket: Ticket | None = None
    ) -> Outcome:
        """Take a frame from a client. Never blocks; a newer frame takes an older one's place.

        With `every` it is processed even if newer ones come; raise FrameError (503) where too many
        wait for that. `ticket` is settled if the outcome is accepted or superseded. A frame that
        came before is waiting, see `Pending.join`, or a duplicate if something became of it.
        """
        with self._lock:
            if self.order.knows(frame):
                is_open = self.pending.repeat(frame, every=every)
                self._duplicate += 1
                return "waiting" if is_open else "duplicate"
            if every:
                self.pending.check_room()
            outcome: Outcome = self.order.place(frame)
            self._received += 1
            self._seen_at = self._clock()
            self.arrivals.tick()
            if outcome == "accepted":
                self._stillness.look(frame, self._seen_at)
                if not isinstance(frame, SharedFrame):
                    self.latest.put(frame)
            if every:
                outcome = "accepted"
                self.pending.append(frame, ticket)
            elif outcome == "accepted":
                self.pending.put(frame, ticket)
            else:
                self._late += 1
                if ticket is not None:
                    ticket.settle("superseded")
        for observer in self._observers:
            observer.received(frame)
        return outcome

    def finish(self, result: Result) -> None:
        """Enter the result of a frame that was taken from `pending`; exactly once for each.

        Whoever waits for it is told when it stands everywhere else.
        """
        with self._lock:
            if result.state == "processed":
                self._processed += 1
            else:
                self._failed += 1
            self._show(result)
        self._tell(result)
        self.pending.settle(result)

    def supersede(self, frame: EncodedFrame) -> None:
        """Enter that a frame that was taken from `pending` gave way to a newer one, on the bus."""
        self.pending.supersede(frame)

    def abandon(self, frame: EncodedFrame, error: str) -> None:
        """Enter that no hook finished a frame that was taken from `pending`, and why.

        It has failed here, but is not told of as a result: it may come again, and is new then.
        """
        with self._lock:
            self._failed += 1
            self.order.forget(frame)
        self.pending.abandon(frame, error)

    def show(self, frame: EncodedFrame) -> None:
        """Show viewers a frame that another receiver took; it stands in no books here."""
        self.latest.put(frame)

    def show_result(self, result: Result) -> None:
        """Enter a result of a frame that another receiver took."""
        with self._lock:
            self._show(result)
        self._tell(result)

    def _show(self, result: Result) -> None:
        # Within the lock: two workers that end at once must not swap the order.
        if self._shown is None or not is_before(result.frame, self._shown):
            self._shown = result.frame
            if result.picture.data:  # of shared memory, and of another receiver's, there is none
                self.annotated.put(result.picture)
            self.results.put(result)

    def _tell(self, result: Result) -> None:
        self.latencies.add(result)
        for observer in self._observers:
            observer.finished(result)

    def books(self) -> Books:
        """Return this receiver's own; those of others are in `elsewhere`."""
        with self._lock:
            taken, superseded, waiting = self.pending.counts()
            done = self._processed + self._failed
            return Books(
                received=self._received,
                processed=self._processed,
                superseded=superseded + self._late,
                failed=self._failed,
                waiting=waiting + taken - done,
                duplicate=self._duplicate,
            )

    def is_newer_elsewhere(self) -> bool:
        """Say whether another receiver has had a frame since this one last had."""
        return self._age_elsewhere() < self.own_age()

    def own_age(self) -> float:
        """Return the seconds since a frame last came to this receiver; inf if none did."""
        return self._clock() - self._seen_at

    def age(self) -> float:
        """Return the seconds since a frame last came, to any receiver."""
        return min(self.own_age(), self._age_elsewhere())

    def _age_elsewhere(self) -> float:
        elsewhere = self.elsewhere
        return math.inf if elsewhere is None else elsewhere.idle + self._clock() - elsewhere.heard

    def state(self) -> State:
        state = state_at(self.age() - self.interval)
        return "frozen" if state == "live" and self.is_still() else state

    def is_live(self) -> bool:
        """Say whether frames come, be they all the same."""
        return self.state() in ("live", "frozen")

    def is_still(self) -> bool:
        """Say whether its newest frames were all the same, here or where it has come since."""
        if self.elsewhere is not None and self.is_newer_elsewhere():
            return self.elsewhere.still
        return bool(self._stillness)

    @property
    def own_still(self) -> bool:
        """Whether the newest frames that came to this receiver were all the same."""
        return bool(self._stillness)

    def feed(self, view: View) -> tuple[View, Latest[EncodedFrame]]:
        """Return what is shown for `view`, and where it comes from: raw before the hook's first."""
        if view == "annotated" and self.annotated.peek() is not None:
            return "annotated", self.annotated
        return "raw", self.latest

    def count_viewers(self, change: int) -> None:
        """Note that so many more, or less, watch it live."""
        with self._lock:
            self.viewers += change

    def count_shown(self, frame: EncodedFrame) -> None:
        """Note that a viewer is shown `frame`; of several who are shown it the first one counts."""
        with self._lock:
            if frame.arrived > self._shown_until:
                self._shown_until = frame.arrived
                self.shown += 1

    def glance(self) -> None:
        """Note that somebody looks at a single picture."""
        self._glanced_at = self._clock()

    def is_watched(self) -> bool:
        """Say whether anybody watches it live, or asks for one picture after the other."""
        return self.viewers > 0 or self._clock() - self._glanced_at < _GLANCE

    def close(self) -> None:
        self.pending.close()
        self.latest.close()
        self.annotated.close()
        self.results.close()
