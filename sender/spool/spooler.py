"""Spooler: makes JPEGs of captured frames and appends them to the spool, on a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sender.books import Ledger
from sender.encoder import Encoder
from sender.reader import CapturedFrame
from sender.spool.queue import FrameQueue
from sender.spool.spool import Spool
from sender.traces import FrameTrace
from shared.errors import FrameError
from shared.latest import Closed
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds from one tidying of the spool to the next.
_TIDY = 1.0
#: So many traces are kept of frames that wait; of others nobody is told.
_TRACES = 64


class Spooler(Worker):
    """Take the oldest frame of the queue, encode it, store it. Stopped, it first stores all that
    the queue holds.

    A frame that the disk refuses is counted as failed, and the next one is tried.
    """

    def __init__(
        self,
        camera: str,
        queue: FrameQueue,
        spool: Spool,
        *,
        encoder: Encoder,
        ledger: Ledger,
        patient: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`patient`: wait while the spool is half full, so that a file can be sent that is larger
        than it.
        """
        super().__init__(f"spooler of {camera}")
        self._queue = queue
        self._spool = spool
        self._encoder = encoder
        self._ledger = ledger
        self._patient = patient
        self._clock = clock
        self._trouble = Trouble(
            f"camera {camera}", over="frames are stored again", logger=logger, clock=clock
        )
        self._tidy_at = clock() + _TIDY
        self._traces: dict[int, FrameTrace] = {}

    def step(self) -> None:
        """Store one frame, or wait up to a second for one."""
        if self._clock() >= self._tidy_at:
            self._tidy_at = self._clock() + _TIDY
            self._tidy()
        if self._patient and self._spool.is_half_full:
            self.pause(0.02)
            return
        try:
            frame = self._queue.get(max(0.0, self._tidy_at - self._clock()))
        except Closed:
            self.finish()
            return
        if frame is not None:
            self._store(frame)

    def close(self) -> None:
        self._queue.close()
        try:
            while (frame := self._queue.get(0)) is not None:
                self._store(frame)
        except Closed:
            pass
        self._spool.end()

    def take_trace(self, number: int) -> FrameTrace | None:
        """Return the trace of a stored frame, once, where it has one; for the poster."""
        return self._traces.pop(number, None)

    def _store(self, captured: CapturedFrame) -> None:
        try:
            frame = self._encoder.encode(captured)
        except FrameError as exc:
            self._ledger.fail("encode")
            self._trouble.happened("encode", f"a frame cannot be made a JPEG ({exc})")
            return
        try:
            number = self._spool.append(frame)
        except OSError as exc:
            self._ledger.fail("disk")
            self._tell(exc, "frames cannot be stored and are lost")
            return
        self._trouble.worked()
        trace, self._encoder.trace = self._encoder.trace, None
        if trace is not None:
            self._traces[number] = trace
            if len(self._traces) > _TRACES:
                self._traces.pop(min(self._traces), None)

    def _tidy(self) -> None:
        try:
            self._spool.tidy()
        except OSError as exc:
            self._tell(exc, "the disk does not keep what is stored")

    def _tell(self, exc: OSError, what: str) -> None:
        self._trouble.happened(
            f"disk {exc.errno}", f"{what} ({self._spool.folder}: {exc.strerror}), trying again"
        )
