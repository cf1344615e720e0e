"""Parts: the frames of one long request, taken one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from receiver.desk import Desk
from receiver.fate import Fate
from shared import wire
from shared.errors import FrameError
from shared.multipart import BrokenStream, CutOff, Multipart
from shared.problem import retry_after

#: Where a request's environ has what raises FrameError for a part that may not come.
ALLOW = "framepost.allow"
#: No frame of this camera would be taken now: the stream ends with these.
_ABOUT_THE_STREAM = {"no_hook", "cameras", "draining"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one part: a fate, or the error that refused it."""

    #: Unix seconds when its head had come.
    received: float
    fate: Fate | None = None
    error: FrameError | None = None

    @property
    def state(self) -> str:
        return "refused" if self.fate is None else self.fate.state

    @property
    def is_last(self) -> bool:
        """Whether nothing behind it can be taken, although more may come."""
        return isinstance(self.error, BrokenStream) or (
            self.error is not None and self.error.reason in _ABOUT_THE_STREAM
        )

    def facts(self) -> dict[str, Any]:
        """Return what the answer to a single post would say, and its status; JSON-able."""
        if self.fate is not None:
            return self.fate.facts() | {"status": self.fate.status}
        assert self.error is not None
        told = {"state": self.state, "detail": str(self.error), "status": self.error.status}
        seconds = retry_after(self.error)
        return told if seconds is None else told | {"retry_after": seconds}


class Parts:
    """Takes the parts of a multipart body in as frames of a camera. On the request's thread.

    A part that is refused is counted, and the next is taken. The end comes with the body's, or with
    an outcome that `is_last`: the rest of a part that is too large cannot be skipped cheaply.
    """

    def __init__(
        self,
        desk: Desk,
        camera: str,
        multipart: Multipart,
        *,
        every: bool = False,
        wait: float | None = None,
        allow: Callable[[], None] | None = None,
    ) -> None:
        """`every` and `wait` apply to each part, see `Desk.take`; the request holds a seat.

        `allow` raises FrameError for a part that may not come.
        """
        self._desk = desk
        self._camera = camera
        self._multipart = multipart
        self._every = every
        self._wait = wait
        self._allow = allow

    def __iter__(self) -> Iterator[Outcome]:
        while True:
            try:
                outcome = self._take()
            except EOFError:
                return
            yield outcome
            if outcome.is_last:
                return

    def _take(self) -> Outcome:
        """Take the next part; raise EOFError behind the last."""
        received = time.time()
        try:
            with self._desk.counting_refusals(self._camera):
                try:
                    headers = self._multipart.head()
                    received = time.time()
                    body = self._multipart.body()
                except CutOff:
                    got = "half a part at the end"
                    raise BrokenStream(got, status=422, reason="truncated") from None
                if self._allow is not None:
                    self._allow()
                envelope = wire.from_headers(headers)
                wire.check_digest(envelope, body)
                fate = self._desk.take(
                    *(self._camera, body, envelope),
                    media_type=headers.get("Content-Type") or "",
                    received=received,
                    every=self._every,
                    wait=self._wait,
                    seated=True,
                )
        except FrameError as exc:
            return Outcome(received, error=exc)
        return Outcome(received, fate)
