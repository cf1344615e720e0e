"""ZmqListener: what takes requests and what subscribes have in common, as one waits for ZeroMQ."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

import zmq

from receiver.desk import Desk
from receiver.listeners.contract import ListenerStatus
from receiver.listeners.zmq_head import MAX_HEAD, Head, read_head
from receiver.listeners.zmq_place import ZmqPlace
from shared.backoff import Backoff
from shared.errors import FrameError
from shared.trouble import Trouble
from shared.worker import Worker
from shared.zmq_socket import ZmqSocket, ZmqTrouble

logger = logging.getLogger(__name__)

#: Parts of a message in imageZMQ's form.
PARTS = 2
#: Of a part with more bytes, or four times the largest picture, ZeroMQ ends the connection without
#: a word, and its sender waits for ever; who sends floating-point numbers is to be told.
_MOST = 64 << 20
_CEILING = 5.0
#: Seconds without a refused frame before the next one is told of.
_SETTLE = 30.0

#: superseded: a newer one of its camera had come by then.
Outcome = Literal["taken", "refused", "superseded"]
#: Of replies that wait for a result. late: there was none in time, and the reply said so.
Replied = Literal["written", "late"]


class ZmqListener(Worker):
    """Opens the socket, in growing pauses until that goes well; a subclass has `serve`.

    What comes is never trusted: it is checked as a POST is. Nothing in it is unpickled.
    """

    def __init__(
        self,
        place: ZmqPlace,
        desk: Desk,
        *,
        kind: int,
        max_bytes: int,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`kind` is ZeroMQ's. A picture may have `max_bytes`."""
        super().__init__(f"listener {place.shown}")
        self.place = place
        self.desk = desk
        self._max_bytes = max_bytes
        self._backoff = backoff or Backoff(0.25, _CEILING)
        self.trouble = Trouble(self.name, over="listens again", logger=logger, clock=clock)
        self._refusals = Trouble(
            self.name, over="no more frames are refused", logger=logger, settle=_SETTLE, clock=clock
        )
        self.socket = ZmqSocket(
            *(kind, place.url),
            curve=place.curve,
            settings={zmq.MAXMSGSIZE: max(4 * max_bytes, _MOST)},
            refused=lambda why: self._refusals.happened("connection", why),
        )
        self.outcomes: Counter[Outcome] = Counter()
        self.replies: Counter[Replied] = Counter()

    def serve(self) -> None:
        """Take what is there, or wait up to a second for it."""
        raise NotImplementedError

    def step(self) -> None:
        if self.socket.is_open:
            self.serve()
            self._refusals.worked()
            return
        try:
            self.socket.open()
        except ZmqTrouble as exc:
            self.trouble.happened("open", f"{exc}; trying again")
            self.pause(self._backoff.next())
            return
        logger.info("%s: listening", self.name)
        self._backoff.reset()
        self.trouble.worked()

    def close(self) -> None:
        self.socket.close()

    def wake(self) -> None:
        self.socket.ring()

    def status(self) -> ListenerStatus:
        return ListenerStatus(
            url=self.place.shown,
            topic="",
            is_up=self.is_up,
            reconnects=self.reconnects,
            outcomes=dict(self.outcomes),
            results=dict(self.replies),
        )

    @property
    def is_up(self) -> bool:
        return self.socket.is_open

    @property
    def reconnects(self) -> int:
        return 0

    def read(self, parts: list[zmq.Frame]) -> Head:
        """Return the head of a message; raise FrameError also for a form that is none."""
        if len(parts) != PARTS:
            count = f"{len(parts)}" if len(parts) < PARTS else "more"
            raise FrameError(
                f"message: expected {PARTS} parts, JSON and a picture, got {count}",
                status=400,
                reason="form",
            )
        text, picture = parts
        if len(picture) > self._max_bytes:
            raise FrameError(
                f"image: expected at most {self._max_bytes} bytes, got {len(picture)}",
                status=413,
                reason="too_large",
            )
        return read_head(text.bytes[: MAX_HEAD + 1], camera=self.place.camera)

    def refuse(self, exc: FrameError) -> None:
        """Count a message, and tell of the first of its kind; the desk has counted it too."""
        self.outcomes["refused"] += 1
        if not self.stopping:  # of which every frame is told
            self._refusals.happened(exc.reason, f"a frame is refused: {exc}")
