"""Pipeline: one camera's line from source to receiver, and what is known of it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sender.courier import Client, Courier, make_trouble
from sender.delivery import Delivery, LatestDelivery
from sender.encoder import Encoder
from sender.endpoint import Endpoint
from sender.intake import Intake
from sender.limits import Limits
from sender.reader import Reader
from sender.receiver_clock import ReceiverClock
from sender.sources.contract import Source
from sender.spool.delivery import EveryDelivery
from sender.spool.spool import Spool
from sender.spool.stock import Stock
from sender.stopwatch import Stopwatch
from sender.traces import Traces
from sender.view.window import Window
from sender.watchdog import Watchdog
from shared.worker import Worker

logger = logging.getLogger(__name__)


class Pipeline:
    """A reader and a delivery, threads both, with a slot between them. Any thread may look.

    Only the thread that started it calls `watch`, `ask_to_stop`, `interrupt` and `join`.
    """

    def __init__(
        self,
        camera: str,
        make_source: Callable[[], Source],
        *,
        source_name: str,
        make_client: Callable[[], Client],
        endpoint: Endpoint,
        in_flight: int = 1,
        fps: float | None = None,
        size: tuple[int, int] | None = None,
        quality: int = 80,
        depth: int = 1,
        keep_corrupt: bool = False,
        obey: bool = True,
        whole: bool = False,
        spool: Spool | None = None,
        deadline: float = 5.0,
        patience: float = 15.0,
        stopwatch: Stopwatch | None = None,
        traces: Traces | None = None,
        window: Window | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`in_flight`: so many frames may wait for their replies at once, each on a connection of
        its own. `obey`: send less when the receiver wishes so. `whole`: if the source is finite,
        deliver every frame of it, however long that takes.

        `spool`: every frame goes that way, and waits in it until the receiver's hook had it; a
        client's reply may take `deadline` seconds then, and one is awaited at a time.

        `window`: where viewers at this sender look.

        `source_name` is the source as people may see it, without passwords. A call of an endless
        source that lasts longer than `patience` seconds hangs.
        """
        self.camera = camera
        self.source_name = source_name
        self._make_source = make_source
        self._limits = Limits(camera, fps=fps, size=size, quality=quality, obey=obey)
        self._keep_corrupt = keep_corrupt
        self.window = window
        self._clock = clock
        source = make_source()
        self._whole = whole and source.finite
        self.intake = Intake(clock, interval=self._limits.interval)
        # A file may hold a frame back for as long as its film stands still.
        limit = math.inf if source.finite else patience + self.intake.interval
        self._watchdog = Watchdog(patience=limit, clock=clock)
        receiver_clock = ReceiverClock(clock=clock)
        self.clock_offset = receiver_clock.offset
        self._trouble = make_trouble(camera, clock)
        self._delivery: Delivery
        if spool is None:
            self._delivery = LatestDelivery(
                *(camera, make_client),
                endpoint=endpoint,
                limits=self._limits,
                trouble=self._trouble,
                receiver_clock=receiver_clock,
                in_flight=in_flight,
                depth=depth,
                whole=self._whole,
                stopwatch=stopwatch,
                traces=traces,
                clock=clock,
            )
        else:
            courier = Courier(
                *(make_client(), endpoint),
                limits=self._limits,
                receiver_clock=receiver_clock,
                trouble=self._trouble,
            )
            self._delivery = EveryDelivery(
                *(camera, spool, courier),
                Encoder(camera, self._limits, stopwatch=stopwatch, traces=traces, clock=clock),
                deadline=deadline,
                whole=self._whole,
                stopwatch=stopwatch,
                clock=clock,
            )
        self._is_closed = False
        self.ledger = self._delivery.ledger
        self._reader = self._make_reader(source)

    def start(self) -> None:
        self._delivery.start()
        self._reader.start()

    def watch(self) -> None:
        """Give up a reader that hangs, and start a fresh one; call it about twice a second."""
        verdict = self._watchdog.look(self._reader.busy_since)
        if verdict == "nudge":
            self._reader.interrupt()
        elif verdict == "abandon":
            self._reader.ask_to_stop()
            self.intake.abandoned += 1
            self.intake.phase = "retrying"
            self.intake.error = f"{self.source_name}: hangs and does not let itself be ended"
            logger.warning(
                "camera %s: its source hangs and is left to itself; trying with a fresh one",
                self.camera,
            )
            self._reader = self._make_reader(self._make_source()).start()

    def bugs(self) -> list[BaseException]:
        """Return what ended a thread that should have gone on."""
        return [worker.error for worker in self._workers() if worker.error is not None]

    @property
    def is_resting(self) -> bool:
        """Whether it leaves the receiver alone for a while, after trouble with it."""
        return self._delivery.is_resting

    def stock(self) -> Stock | None:
        """Return what is in its spool, None where it has none."""
        return self._delivery.stock()

    @property
    def is_finished(self) -> bool:
        """Whether its source ended, for good or bad, and its last frame is settled."""
        return self.intake.phase in ("ended", "failed") and self._delivery.is_over

    @property
    def is_delivered(self) -> bool:
        """Whether the frames of a finite source arrived: every one, or else the last."""
        books = self.ledger.books()
        if self.intake.phase != "ended" or not self.ledger.last_was_posted:
            return False
        return not self._whole or books.posted == books.captured + books.recovered

    def ask_to_stop(self) -> None:
        """Ask, and return at once; the frame on its way may still be answered."""
        self._delivery.slot.close()
        for worker in self._workers():
            worker.ask_to_stop()

    def interrupt(self) -> None:
        """End the waits for camera and receiver."""
        self._reader.interrupt()
        self._delivery.interrupt()

    def join(self, until: float) -> bool:
        """Wait until `until` (monotonic seconds) for the threads' ends; True when they came."""
        workers = self._workers()
        is_over = all(worker.join(max(0.0, until - self._clock())) for worker in workers)
        if is_over and not self._is_closed:
            self._is_closed = True
            self._delivery.close()
        return is_over

    def status(self) -> dict[str, Any]:
        """Return what the status page says of this camera."""
        intake = self.intake
        books = self.ledger.books()
        age = self.ledger.age()
        estimate = self.clock_offset.estimate()
        obeyed = self._limits.obeyed
        return {
            "camera": self.camera,
            "state": intake.state(),
            "source": self.source_name,
            "epoch": intake.epoch,
            "seq": intake.seq,
            "width": intake.width,
            "height": intake.height,
            "fps_in": round(intake.rate.per_second(), 2),
            "fps_out": round(self.ledger.rate.per_second(), 2),
            "age_ms": None if age is None else round(age * 1000, 1),
            "idle_seconds": round(intake.idle(), 3),
            "clock_offset_ms": estimate and round(estimate.offset * 1000, 2),
            "clock_error_ms": estimate and round(estimate.error * 1000, 2),
            "clock_jumps": self.clock_offset.jumps,
            "obeyed": obeyed and obeyed.facts(),
            **asdict(books),
            **self._delivery.status(),
            "thinned": intake.thinned,
            "corrupt": intake.corrupt,
            "reconnects": intake.reconnects,
            "abandoned": intake.abandoned,
            "source_error": intake.error,
            "post_error": self._trouble.last,
        }

    def _workers(self) -> list[Worker]:
        return [self._reader, *self._delivery.workers]

    def _make_reader(self, source: Source) -> Reader:
        return Reader(
            self.camera,
            source,
            slot=self._delivery.slot,
            intake=self.intake,
            limits=self._limits,
            keep_corrupt=self._keep_corrupt,
            taker=self._delivery.taker,
            window=self.window,
            clock=self._clock,
        )
