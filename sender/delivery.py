"""Delivery: what becomes of the frames that a reader gives. LatestDelivery sends the newest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sender.books import Ledger
from sender.courier import Client, make_trouble
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.receiver_clock import ReceiverClock
from sender.slot import Slot, Taker
from sender.spool.stock import Stock
from sender.stopwatch import Stopwatch
from sender.traces import Traces
from sender.turn import Turn
from shared.latest import Latest
from shared.trouble import Trouble
from shared.worker import Worker


class Delivery(Protocol):
    """What is behind a reader, up to the receiver: threads, and the books of what passed."""

    ledger: Ledger
    workers: Sequence[Worker]

    @property
    def slot(self) -> Slot[CapturedFrame]: ...

    @property
    def taker(self) -> Taker | None:
        """For whom the reader waits, so that no frame is left out; None where it never waits."""
        ...

    def start(self) -> None: ...

    def interrupt(self) -> None:
        """End the waits for the receiver, for good."""

    def close(self) -> None:
        """Put away what the workers had in common; call it once, when they have ended."""

    @property
    def is_resting(self) -> bool:
        """Whether it leaves the receiver alone for a while, after trouble with it."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by a stop or because nothing is left to send."""
        ...

    def stock(self) -> Stock | None:
        """Return what is in its spool, None where it has none."""
        ...

    def status(self) -> dict[str, Any]:
        """Return what the status page says of it besides the books."""
        ...


class LatestDelivery:
    """A slot, and posters that share it: the newest frame is sent, older ones are superseded."""

    def __init__(
        self,
        camera: str,
        make_client: Callable[[], Client],
        *,
        endpoint: Endpoint,
        limits: Limits,
        trouble: Trouble | None = None,
        receiver_clock: ReceiverClock | None = None,
        in_flight: int = 1,
        depth: int = 1,
        whole: bool = False,
        stopwatch: Stopwatch | None = None,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`in_flight`: so many frames may wait for their replies at once, each on a connection of
        its own. `whole`: send every frame, each until it is answered.
        """
        slot: Latest[CapturedFrame] = Latest(depth)
        place = slot.reader()
        self.slot = slot
        self.taker = place if whole else None
        self.ledger = Ledger(place, clock=clock)
        self._turn = Turn(clock=clock)
        self._posters = [
            Poster(
                *(camera, place, make_client()),
                endpoint=endpoint,
                ledger=self.ledger,
                limits=limits,
                turn=self._turn,
                rank=rank,
                trouble=trouble or make_trouble(camera, clock),
                receiver_clock=receiver_clock,
                whole=whole,
                stopwatch=stopwatch,
                traces=traces,
                clock=clock,
            )
            # A frame that has to be tried again is not to be overtaken.
            for rank in range(1 if whole else in_flight)
        ]
        self.workers: Sequence[Worker] = self._posters

    def start(self) -> None:
        for poster in self._posters:
            poster.start()

    def interrupt(self) -> None:
        for poster in self._posters:
            poster.interrupt()

    def close(self) -> None:
        """Nothing is left."""

    @property
    def is_resting(self) -> bool:
        return self._turn.is_resting

    @property
    def is_over(self) -> bool:
        return not any(poster.alive for poster in self._posters)

    def stock(self) -> Stock | None:
        return None

    def status(self) -> dict[str, Any]:
        return {"delivery": "latest"}
