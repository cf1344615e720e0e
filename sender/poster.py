"""Poster: sends one camera's newest frame, then the next newest, on a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from sender.books import Ledger
from sender.courier import ABOUT_THE_TOKEN, Client, Courier, make_trouble
from sender.encoder import Encoder
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.reader import CapturedFrame
from sender.receiver_clock import ReceiverClock
from sender.stopwatch import Stopwatch
from sender.traces import Traces
from sender.turn import Turn
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from shared.latest import Closed, LatestReader
from shared.trouble import Trouble
from shared.worker import Worker

#: Seconds from one look at whether to stop to the next, while another poster has the turn.
_WAIT = 0.25
#: Said by servers that are away, starting, full: the same frame may be welcome later.
_LATER = {408, 429, 502, 503, 504}


class Poster(Worker):
    """Take the newest frame, make it a JPEG only then, post it, enter it in the books.

    Several may share a camera, each with a client and a `rank` of its own: one at a time has the
    `turn`, and gives it back when its frame is sent and only the reply is missing. After trouble
    the turn rests.

    A frame that the receiver did not take is never sent again, for a newer one is the retry. Only
    when frames are to be delivered `whole`, as those of a file, is a frame tried until the receiver
    answers; then it is entered once, with its last outcome.
    """

    def __init__(
        self,
        camera: str,
        frames: LatestReader[CapturedFrame],
        client: Client,
        *,
        endpoint: Endpoint,
        ledger: Ledger,
        limits: Limits | None = None,
        turn: Turn | None = None,
        rank: int = 0,
        trouble: Trouble | None = None,
        receiver_clock: ReceiverClock | None = None,
        whole: bool = False,
        stopwatch: Stopwatch | None = None,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"poster {rank} of {camera}")
        self._camera = camera
        self._frames = frames
        self._ledger = ledger
        self._whole = whole
        self._stopwatch = stopwatch
        self._clock = clock
        self._turn = turn or Turn(clock=clock)
        self._rank = rank
        limits = limits or Limits(camera)
        self._encoder = Encoder(
            *(camera, limits),
            form=endpoint.form,
            stopwatch=stopwatch,
            traces=traces,
            clock=clock,
        )
        self._courier = Courier(
            client,
            endpoint,
            limits=limits,
            receiver_clock=receiver_clock or ReceiverClock(clock=clock),
            trouble=trouble or make_trouble(camera, clock),
        )
        #: A frame that is to be tried again.
        self._kept: EncodedFrame | None = None

    def step(self) -> None:
        """Send one frame, or wait up to a second for one."""
        if not self._turn.take(self._rank, timeout=_WAIT):
            return
        try:
            self._send()
        finally:
            self._give_turn()

    def close(self) -> None:
        if self._kept is not None:
            self._ledger.fail("stopped")
            self._kept = None
        self._courier.close()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._courier.interrupt()

    def _send(self) -> None:
        frame = self._kept
        if frame is None:
            try:
                # Another one's reply may say meanwhile that nothing is welcome now.
                if not self._frames.wait(1.0) or self._turn.is_resting:
                    return
                captured = self._frames.get(0)
            except Closed:
                self.finish()
                return
            frame = None if captured is None else self._encode(captured)
        if frame is not None:
            self._post(frame)

    def _encode(self, captured: CapturedFrame) -> EncodedFrame | None:
        try:
            return self._encoder.encode(captured)
        except FrameError as exc:
            self._ledger.fail("encode")
            self._courier.tell("encode", f"a frame cannot be made a JPEG ({exc})")
            return None

    def _post(self, frame: EncodedFrame) -> None:
        started = self._clock()
        try:
            reply = self._courier.post(frame, told=self._give_turn)
        except NoReply as exc:
            self._unanswered(frame, exc)
            self._tell_trace(frame, started, exc.reason)
            return
        is_taken = 200 <= reply.status < 300
        if is_taken:
            self._kept = None
            self._ledger.post(self._clock() - frame.arrived)
            if self._stopwatch is not None:
                seconds = self._clock() - started
                self._stopwatch.posted(self._camera, seconds, len(frame.data))
            self._turn.worked()
            self._courier.worked()
        else:
            self._refused(frame, reply)
        self._tell_trace(frame, started, "posted" if is_taken else str(reply.status))

    def _unanswered(self, frame: EncodedFrame, exc: NoReply) -> None:
        if self._whole and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.fail(exc.reason)
        if exc.reason != "stopped":
            self._courier.unanswered(exc)
            self._turn.rest()

    def _refused(self, frame: EncodedFrame, reply: Reply) -> None:
        is_for_later = reply.status in _LATER or reply.status in ABOUT_THE_TOKEN
        if self._whole and is_for_later and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.refuse(reply.status)
        rest = self._courier.refused(reply)
        if rest is not None:
            self._turn.rest(rest)

    def _tell_trace(self, frame: EncodedFrame, started: float, outcome: str) -> None:
        # One that is to be tried again has no outcome yet.
        trace = self._encoder.trace
        if trace is not None and self._kept is None:
            trace.end(frame, outcome, posting=(started, self._clock()))
            self._encoder.trace = None

    def _give_turn(self) -> None:
        self._turn.give(self._rank)
