"""SpoolPoster: sends the oldest frame of a spool until its fate is known, then the next oldest."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from sender.books import Ledger
from sender.courier import ABOUT_THE_FRAME, Courier
from sender.spool.spool import Spool
from sender.spool.stored import Stored
from sender.stopwatch import Stopwatch
from sender.traces import FrameTrace
from sender.turn import Turn
from shared.http_client import NoReply, Reply
from shared.latest import Closed
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds from one look at whether to stop to the next.
_WAIT = 0.25
#: Nothing had left this machine.
_UNSENT = {"connect", "forbidden"}
#: The receiver says so before it looks at the frame.
_UNSEEN = {401, 403, 404, 409, 429}
#: A file that the disk does not give is tried so often, so many seconds apart, then passed over.
_READS = 3
_READ_PAUSE = 0.5


class SpoolPoster(Worker):
    """Post one frame at a time, and wait for what the hook made of it, as long as `wait` says.

    The frame is settled when the hook had it, or when the receiver will never take it. Otherwise,
    and without a reply, the same frame goes again, marked as one that may have been there before;
    after trouble the `turn` rests meanwhile. Nothing overtakes it.
    """

    def __init__(
        self,
        camera: str,
        spool: Spool,
        courier: Courier,
        *,
        ledger: Ledger,
        turn: Turn,
        wait: float,
        trace_of: Callable[[int], FrameTrace | None] = lambda number: None,
        stopwatch: Stopwatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wait` is seconds, fewer than the courier waits for a reply."""
        super().__init__(f"poster of {camera}")
        self._camera = camera
        self._spool = spool
        self._courier = courier
        self._ledger = ledger
        self._turn = turn
        self._prefer = {"Prefer": f"wait={wait:g}"}
        self._trace_of = trace_of
        self._stopwatch = stopwatch
        self._clock = clock
        self._trouble = Trouble(
            f"camera {camera}", over="stored frames are read again", logger=logger, clock=clock
        )
        #: The frame that the receiver may have seen, and how often it gave no reply in a row.
        self._seen: int | None = None
        self._silences = 0
        self._failed_reads = 0

    def step(self) -> None:
        """Send the oldest frame once, or wait for one."""
        if not self._turn.take(0, timeout=_WAIT):
            return
        try:
            stored = self._next()
            if stored is not None:
                self._post(stored)
        finally:
            self._turn.give(0)

    def close(self) -> None:
        self._courier.close()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._courier.interrupt()

    def _next(self) -> Stored | None:
        try:
            stored = self._spool.next(_WAIT)
        except Closed:
            self.finish()
            return None
        except OSError as exc:
            self._trouble.happened(
                "read", f"stored frames cannot be read ({self._spool.folder}: {exc.strerror})"
            )
            self._failed_reads += 1
            if self._failed_reads < _READS:
                self.pause(_READ_PAUSE)
            else:
                self._failed_reads = 0
                self._spool.pass_over()
            return None
        if stored is not None:
            self._failed_reads = 0
            self._trouble.worked()
        return stored

    def _post(self, stored: Stored) -> None:
        may_be_known = stored.again or stored.number == self._seen
        frame = replace(stored.frame, redelivered=True) if may_be_known else stored.frame
        started = self._clock()
        try:
            reply = self._courier.post(frame, more=self._prefer)
        except NoReply as exc:
            self._spool.put_back(stored)
            self._unanswered(stored, exc)
            return
        self._silences = 0
        if _is_settled(reply):
            self._settle(stored, reply, started)
            return
        self._spool.put_back(stored)
        if reply.status not in _UNSEEN:
            self._seen = stored.number
        if reply.status != 202:
            rest = self._courier.refused(reply)
            self._turn.rest(rest or 0.0)
        elif "Preference-Applied" not in reply.headers:
            self._turn.rest()

    def _unanswered(self, stored: Stored, exc: NoReply) -> None:
        if exc.reason not in _UNSENT:
            self._seen = stored.number
        self._silences += 1
        # A kept connection may have been closed for its age: that is no trouble yet.
        if exc.reason == "stopped" or (exc.reason == "reset" and self._silences == 1):
            return
        self._courier.unanswered(exc)
        self._turn.rest()

    def _settle(self, stored: Stored, reply: Reply, started: float) -> None:
        try:
            self._spool.settle(stored)
        except OSError as exc:
            self._trouble.happened(
                "cursor",
                f"cannot note what is delivered ({self._spool.folder}: {exc.strerror}); after a"
                " restart it would be sent again",
            )
        now = self._clock()
        frame = stored.frame
        is_taken = 200 <= reply.status < 300
        if is_taken:
            self._ledger.post(now - frame.arrived)
            if self._stopwatch is not None:
                self._stopwatch.posted(self._camera, now - started, len(frame.data))
            self._courier.worked()
        else:
            self._ledger.refuse(reply.status)
            self._courier.refused(reply)
        self._turn.worked()
        trace = self._trace_of(stored.number)
        if trace is not None:
            outcome = "posted" if is_taken else str(reply.status)
            trace.end(frame, outcome, posting=(started, now))


def _is_settled(reply: Reply) -> bool:
    """Say whether the frame's fate is known: processed, failed in the hook, never to be taken."""
    if reply.status == 500:
        with suppress(ValueError, TypeError, KeyError):
            return bool(json.loads(reply.body)["state"] == "failed")
        return False
    is_done = 200 <= reply.status < 300 and reply.status != 202
    return is_done or reply.status in ABOUT_THE_FRAME
