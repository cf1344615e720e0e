"""Pipeline: one camera's line from source to receiver, and what is known of it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sender.books import Books, Ledger
from sender.courier import Client, make_trouble
from sender.endpoint import Endpoint
from sender.intake import Intake
from sender.limits import Limits
from sender.poster import Poster
from sender.reader import CapturedFrame, Reader
from sender.receiver_clock import ReceiverClock
from sender.sources.contract import Source
from sender.stopwatch import Stopwatch
from sender.traces import Traces
from sender.turn import Turn
from sender.watchdog import Watchdog
from shared.latest import Latest
from shared.worker import Worker

logger = logging.getLogger(__name__)


class Pipeline:
    """A reader and its posters, each a thread, with a slot between them. Any thread may look.

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
        patience: float = 15.0,
        stopwatch: Stopwatch | None = None,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`in_flight`: so many frames may wait for their replies at once, each on a connection of
        its own. `obey`: send less when the receiver wishes so. `whole`: if the source is finite,
        deliver every frame of it, however long that takes.

        `source_name` is the source as people may see it, without passwords. A call of an endless
        source that lasts longer than `patience` seconds hangs.
        """
        self.camera = camera
        self.source_name = source_name
        self._make_source = make_source
        self._limits = Limits(camera, fps=fps, size=size, quality=quality, obey=obey)
        self._keep_corrupt = keep_corrupt
        self._clock = clock
        self._slot: Latest[CapturedFrame] = Latest(depth)
        self._place = self._slot.reader()
        source = make_source()
        self._whole = whole and source.finite
        self.intake = Intake(clock, interval=self._limits.interval)
        self.ledger = Ledger(self._place, clock=clock)
        # A file may hold a frame back for as long as its film stands still.
        limit = math.inf if source.finite else patience + self.intake.interval
        self._watchdog = Watchdog(patience=limit, clock=clock)
        receiver_clock = ReceiverClock(clock=clock)
        self.clock_offset = receiver_clock.offset
        self._trouble = make_trouble(camera, clock)
        self._reader = self._make_reader(source)
        self._turn = Turn(clock=clock)
        self._posters = [
            Poster(
                camera,
                self._place,
                make_client(),
                endpoint=endpoint,
                ledger=self.ledger,
                limits=self._limits,
                turn=self._turn,
                rank=rank,
                trouble=self._trouble,
                receiver_clock=receiver_clock,
                whole=self._whole,
                stopwatch=stopwatch,
                traces=traces,
                clock=clock,
            )
            # A frame that has to be tried again is not to be overtaken.
            for rank in range(1 if self._whole else in_flight)
        ]

    def start(self) -> None:
        for poster in self._posters:
            poster.start()
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
        return self._turn.is_resting

    @property
    def is_finished(self) -> bool:
        """Whether its source ended, for good or bad, and its last frame is settled."""
        return self.intake.phase in ("ended", "failed") and not any(
            poster.alive for poster in self._posters
        )

    @property
    def is_delivered(self) -> bool:
        """Whether the frames of a finite source arrived: every one, or else the last."""
        books = self.ledger.books()
        if self.intake.phase != "ended" or not self.ledger.last_was_posted:
            return False
        return not self._whole or books.posted == books.captured

    def ask_to_stop(self) -> None:
        """Ask, and return at once; the frame on its way may still be answered."""
        self._slot.close()
        for worker in self._workers():
            worker.ask_to_stop()

    def interrupt(self) -> None:
        """End the waits for camera and receiver."""
        self._reader.interrupt()
        for poster in self._posters:
            poster.interrupt()

    def join(self, until: float) -> bool:
        """Wait until `until` (monotonic seconds) for the threads' ends; True when they came."""
        return all(worker.join(max(0.0, until - self._clock())) for worker in self._workers())

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
            "thinned": intake.thinned,
            "corrupt": intake.corrupt,
            "reconnects": intake.reconnects,
            "abandoned": intake.abandoned,
            "source_error": intake.error,
            "post_error": self._trouble.last,
        }

    def summary(self, before: Books) -> str:
        """Return one line about what was done since `before`."""
        now = self.ledger.books()
        age = self.ledger.age()
        state = self.intake.state()
        return (
            f"camera {self.camera}: posted={now.posted - before.posted}"
            f" superseded={now.superseded - before.superseded}"
            f" refused={sum(now.refused.values()) - sum(before.refused.values())}"
            f" failed={sum(now.failed.values()) - sum(before.failed.values())}"
            f" fps={self.ledger.rate.per_second():.1f}"
            f" age_ms={'-' if age is None else round(age * 1000)}"
            + ("" if state == "live" else f" state={state}")
        )

    def _workers(self) -> list[Worker]:
        return [self._reader, *self._posters]

    def _make_reader(self, source: Source) -> Reader:
        return Reader(
            self.camera,
            source,
            slot=self._slot,
            intake=self.intake,
            limits=self._limits,
            keep_corrupt=self._keep_corrupt,
            taker=self._place if self._whole else None,
            clock=self._clock,
        )
