"""Desk: takes a picture in for a caller, whichever route it came by, and waits for its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.exceptions import HTTPException

from receiver.fate import Fate, State
from receiver.formats import inspect
from receiver.hub import Hub
from receiver.result import Result
from receiver.ticket import Ticket
from receiver.traces import Traces
from shared.errors import FrameError
from shared.frame import EncodedFrame, check_camera
from shared.seats import Seats
from shared.wire import Envelope

#: However long a caller would like to wait.
MAX_WAIT = 60.0
#: Of a frame that was taken, and of which nothing became here.
_UNSETTLED = "unsettled"


class Desk:
    """Checks frames and gives them to the hub. Any thread.

    A caller who waits holds a thread of the server, and so a seat. Where there is none, or no hook
    that would answer, the caller is told at once that the frame was accepted.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        max_pixels: int,
        seats: Seats,
        has_hook: Callable[[str], bool],
        trouble: Callable[[str], str | None] = lambda camera: None,
        traces: Traces | None = None,
    ) -> None:
        """`has_hook` says whether anybody processes the frames of the camera of that name.

        `trouble` says why its hook does not run, if it will not soon.
        """
        self._hub = hub
        self._max_pixels = max_pixels
        self._seats = seats
        self._has_hook = has_hook
        self._trouble = trouble
        self._traces = traces

    @contextmanager
    def counting_refusals(self, camera: str | None) -> Iterator[None]:
        """Check the camera's name, and count what is raised within as a body that was refused.

        None: it is to be found out, and nobody's if that fails.
        """
        try:
            if camera is not None:
                check_camera(camera)
            yield
        except FrameError as exc:
            if exc.reason != _UNSETTLED:  # that one was taken
                self._hub.refuse(camera or "", exc.reason)
            raise
        except HTTPException:  # what Werkzeug refuses, such as a form of too many parts
            self._hub.refuse(camera or "", "form")
            raise

    def take(
        self,
        camera: str,
        body: bytes,
        envelope: Envelope,
        *,
        media_type: str = "",
        received: float | None = None,
        every: bool = False,
        wait: float | None = None,
        seated: bool = False,
    ) -> Fate:
        """Take the picture in `body`, and wait up to `wait` seconds for its result.

        `received` is when its head came, in Unix seconds; None for now. `seated`: the caller holds
        a seat already.
        With `every` it is processed even if newer ones come. Raise FrameError for no picture, too
        many cameras, a full queue, and for `every` where no hook runs (409).
        """
        frame = self._check(camera, body, envelope, media_type, received, every=every)
        return self._give(frame, every=every, wait=wait, seated=seated)

    def take_and_tell(
        self,
        camera: str,
        body: bytes,
        envelope: Envelope,
        told: Callable[[Fate], object],
        *,
        media_type: str = "",
        received: float | None = None,
    ) -> Fate | None:
        """Take the picture in `body`, as `take`, for a caller who has no thread to wait with.

        Return its Fate where that is known by now, as where no hook would answer. None: `told` is
        called with it, once and on any thread, and must not block.
        """
        frame = self._check(camera, body, envelope, media_type, received)
        ticket = (None if self._traces is None else self._traces.ticket(frame)) or Ticket()
        will_answer = self._will_answer(camera)
        if will_answer:
            ticket.tell(lambda: told(Fate(frame, _state(ticket), ticket.result, waited=0.0)))
        outcome = self._hub.publish(frame, ticket=ticket)
        if outcome == "duplicate":
            return Fate(frame, outcome, self._known(frame))
        is_told = will_answer and outcome != "waiting"
        return None if is_told else Fate(frame, "accepted")

    def submit(
        self,
        frame: EncodedFrame,
        *,
        every: bool = False,
        wait: float | None = None,
        seated: bool = False,
    ) -> Fate:
        """Give a checked frame to the hub, and wait as `take` does; raise FrameError."""
        if every:
            self._check_hook(frame.camera)
        return self._give(frame, every=every, wait=wait, seated=seated)

    def _check(
        self,
        camera: str,
        body: bytes,
        envelope: Envelope,
        media_type: str,
        received: float | None,
        *,
        every: bool = False,
    ) -> EncodedFrame:
        picture = inspect(body, media_type=media_type, max_pixels=self._max_pixels)
        if every:
            self._check_hook(camera)  # first, for to identify a frame of a new camera makes one
        return EncodedFrame(
            **self.identify(camera, envelope, received or time.time()),
            data=picture.data,
            width=picture.width,
            height=picture.height,
            media_type=picture.media_type,
        )

    def _give(self, frame: EncodedFrame, *, every: bool, wait: float | None, seated: bool) -> Fate:
        wait = None if wait is None else min(wait, MAX_WAIT)
        leave: Callable[[], None] | None = None
        # Most frames' callers do not wait, and for them nobody is asked how the hook does.
        if wait is not None and (every or self._will_answer(frame.camera)):
            leave = (lambda: None) if seated else self._seats.take()
        ticket = None if self._traces is None else self._traces.ticket(frame)
        if wait is None or leave is None:
            outcome = self._hub.publish(frame, every=every, ticket=ticket)
            if outcome == "waiting":
                return Fate(frame, "accepted")
            return Fate(frame, outcome, self._known(frame) if outcome == "duplicate" else None)
        try:
            joined: Ticket | None = ticket or Ticket()
            outcome = self._hub.publish(frame, every=every, ticket=joined)
            if outcome == "waiting":
                # Its caller waits for what becomes of it, as the one does who brought it first.
                joined = self._hub.join(frame, Ticket())
            if outcome == "duplicate" or joined is None:
                return Fate(frame, "duplicate", self._known(frame), waited=wait)
            joined.wait(wait)
        finally:
            leave()
        if joined.state == "closed":
            raise _unsettled(joined.result)
        return Fate(frame, joined.state or "accepted", joined.result, waited=wait)

    def identify(self, camera: str, envelope: Envelope, received: float) -> dict[str, Any]:
        """Return what names a frame and tells its age, for an EncodedFrame.

        `received` is Unix seconds. Raise FrameError as `Hub.publish` does.
        """
        offset = self._hub.offset_of(camera, envelope, received)
        captured_at = envelope.captured_at
        epoch, seq = envelope.epoch or "", envelope.seq
        if seq is None:
            ours, seq = self._hub.number(camera)
            epoch = epoch or ours
        return {
            "camera": camera,
            "epoch": epoch,
            "seq": seq,
            "captured_at": received if captured_at is None else captured_at,
            "clock_offset": 0.0 if captured_at is None else offset,
            "trace": envelope.trace,
            "redelivered": envelope.redelivered,
            "sent_at": None if captured_at is None else envelope.sent_at,
        }

    def _will_answer(self, camera: str) -> bool:
        return self._has_hook(camera) and not self._trouble(camera)

    def _check_hook(self, camera: str) -> None:
        """Raise FrameError unless a hook will process the camera's frames."""
        if not self._has_hook(camera):
            raise FrameError(
                f"camera: no hook processes the frames of {camera}; start the receiver with --hook",
                status=409,
                reason="no_hook",
            )
        trouble = self._trouble(camera)
        if trouble:
            raise FrameError(f"hook: does not run: {trouble}", status=503, reason="hook")

    def _known(self, frame: EncodedFrame) -> Result | None:
        """Return the result of a frame that came before, as long as it is the newest."""
        camera = self._hub.get(frame.camera)
        result = camera.results.peek() if camera else None
        is_same = result is not None and (result.frame.epoch, result.frame.seq) == (
            frame.epoch,
            frame.seq,
        )
        return result if is_same else None


def _state(ticket: Ticket) -> State:
    # Nothing became of it here: to those who cannot send it again, the same as failed.
    return "failed" if ticket.state is None or ticket.state == "closed" else ticket.state


def _unsettled(result: Result | None) -> FrameError:
    """Return what tells a caller that nothing became of its frame, which may come again."""
    why = "the receiver is shutting down" if result is None else result.error
    return FrameError(
        f"frame: has no result, and may be sent again: {why}", status=503, reason=_UNSETTLED
    )
