"""Poster: sends one camera's newest frame, then the next newest, on a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.reader import CapturedFrame
from sender.receiver_clock import ReceiverClock
from sender.stopwatch import Stopwatch
from sender.traces import FrameTrace, Traces
from sender.turn import Turn
from shared import wire
from shared.control import Control
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from shared.latest import Closed, LatestReader
from shared.redact import redact
from shared.retry_after import read_retry_after
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds from one look at whether to stop to the next, while another poster has the turn.
_WAIT = 0.25
#: The receiver's word on this one frame; the next may be welcome at once.
_ABOUT_THE_FRAME = {400, 411, 413, 415, 422}
#: A person has to mend the token; whether one did is tried again after so many seconds.
_ABOUT_THE_TOKEN = {401, 403}
_TOKEN_REST = 5.0
#: Said by servers that are away, starting, full: the same frame may be welcome later.
_LATER = {408, 429, 502, 503, 504}


class Client(Protocol):
    """What posts: an HttpClient."""

    def post(
        self,
        target: str,
        body: bytes,
        headers: dict[str, str],
        *,
        sent: Callable[[], object] | None,
    ) -> Reply:
        """Raise NoReply when no whole reply came; call `sent` when only that is waited for."""
        ...

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


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
        self._client = client
        self._endpoint = endpoint
        self._ledger = ledger
        self._limits = limits or Limits(camera)
        self._receiver_clock = receiver_clock or ReceiverClock(clock=clock)
        self._whole = whole
        self._stopwatch = stopwatch
        self._traces = traces
        #: Of the frame that was encoded last.
        self._trace: FrameTrace | None = None
        self._clock = clock
        self._turn = turn or Turn(clock=clock)
        self._rank = rank
        self._trouble = trouble or make_trouble(camera, clock)
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
        self._client.close()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._client.interrupt()

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
        picture = captured.picture
        width, height = self._limits.size_of(picture.width, picture.height)
        started = self._clock()
        if self._stopwatch is not None:
            self._stopwatch.waited(self._camera, started - captured.captured)
        try:
            data = picture.to_jpeg(self._limits.quality, (width, height))
        except FrameError as exc:
            self._ledger.fail("encode")
            self._tell("encode", f"a frame cannot be made a JPEG ({exc})")
            return None
        encoded = self._clock()
        if self._stopwatch is not None:
            self._stopwatch.encoded(self._camera, encoded - started)
        if self._traces is not None:
            self._trace = self._traces.begin(encode_started=started, encoded=encoded)
        return EncodedFrame(
            camera=captured.camera,
            epoch=captured.epoch,
            seq=captured.seq,
            captured_at=time.time() - (self._clock() - captured.captured),
            data=data,
            width=width,
            height=height,
            arrived=captured.captured,
            trace=None if self._trace is None else str(self._trace.post),
        )

    def _post(self, frame: EncodedFrame) -> None:
        headers, body = self._endpoint.request(frame)
        sent = self._receiver_clock.stamp(headers, frame.arrived)
        started = self._clock()
        try:
            # The second frame is to tell what the first one's reply says of the clocks.
            told = self._give_turn if self._receiver_clock.has_heard else None
            reply = self._client.post(self._endpoint.target, body, headers, sent=told)
        except NoReply as exc:
            self._unanswered(frame, exc)
            self._tell_trace(frame, started, exc.reason)
            return
        self._receiver_clock.heard(reply.headers, sent)
        self._obey(reply)
        if 200 <= reply.status < 300:
            self._kept = None
            self._ledger.post(self._clock() - frame.arrived)
            if self._stopwatch is not None:
                seconds = self._clock() - started
                self._stopwatch.posted(self._camera, seconds, len(frame.data))
            self._turn.worked()
            self._trouble.worked()
        else:
            self._refused(frame, reply)
        is_taken = 200 <= reply.status < 300
        self._tell_trace(frame, started, "posted" if is_taken else str(reply.status))

    def _obey(self, reply: Reply) -> None:
        wish = Control.parse(reply.headers.get(wire.CONTROL))
        # Only a receiver that took the frame says by its silence that it wishes nothing.
        if wish is not None or 200 <= reply.status < 300:
            self._limits.hear(wish)

    def _unanswered(self, frame: EncodedFrame, exc: NoReply) -> None:
        if self._whole and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.fail(exc.reason)
        if exc.reason != "stopped":
            self._tell(exc.reason, f"{self._endpoint.shown} gives no answer ({exc}), trying again")
            self._turn.rest()

    def _refused(self, frame: EncodedFrame, reply: Reply) -> None:
        is_about_the_token = reply.status in _ABOUT_THE_TOKEN
        if self._whole and (reply.status in _LATER or is_about_the_token) and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.refuse(reply.status)
        self._tell(str(reply.status), self._endpoint.describe(reply))
        if reply.status not in _ABOUT_THE_FRAME:
            rest = read_retry_after(reply.headers.get("Retry-After"))
            self._turn.rest(max(rest, _TOKEN_REST) if is_about_the_token else rest)

    def _tell_trace(self, frame: EncodedFrame, started: float, outcome: str) -> None:
        # One that is to be tried again has no outcome yet.
        if self._trace is not None and self._kept is None:
            self._trace.end(frame, outcome, posting=(started, self._clock()))
            self._trace = None

    def _give_turn(self) -> None:
        self._turn.give(self._rank)

    def _tell(self, kind: str, sentence: str) -> None:
        self._trouble.happened(kind, redact(self._endpoint.hide(sentence)))


def make_trouble(camera: str, clock: Callable[[], float] = time.monotonic) -> Trouble:
    """Return what tells of the receiver's trouble with a camera's frames."""
    return Trouble(f"camera {camera}", over="frames are taken again", logger=logger, clock=clock)
