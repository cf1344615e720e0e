"""ZmqSubscriber: takes the newest frames that imageZMQ's senders publish (PUB), and replies not.

ZeroMQ's own way to keep the newest alone, CONFLATE, cuts messages of several parts to pieces, and
knows no cameras. So the socket is emptied before anything is looked at, and of each camera the last
message is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import zmq

from receiver.desk import Desk
from receiver.listeners.zmq_head import Head
from receiver.listeners.zmq_listener import PARTS, ZmqListener
from receiver.listeners.zmq_place import ZmqPlace
from shared import wire
from shared.errors import FrameError

#: Messages that are read before the newest are taken: a fast publisher would else keep us reading.
_IN_A_ROW = 256
#: Cameras whose newest frames are held meanwhile.
_MOST_CAMERAS = 4
_WAIT = 0.5
#: Seconds without a connection before that is told.
_PATIENCE = 2.0


class ZmqSubscriber(ZmqListener):
    """Connects to one publisher, and again when that is back: ZeroMQ does it by itself."""

    def __init__(
        self,
        place: ZmqPlace,
        desk: Desk,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(place, desk, kind=zmq.SUB, max_bytes=max_bytes, clock=clock)
        self._clock = clock
        self._gone_since = math.inf

    def serve(self) -> None:
        is_something_there = self.socket.wait(_WAIT)
        self._look()
        if not is_something_there:
            return
        newest: dict[str, tuple[Head, zmq.Frame]] = {}
        for _ in range(_IN_A_ROW):
            parts = self.socket.receive(PARTS)
            if parts is None:
                break
            self._sort_in(parts, newest)
            if len(newest) == _MOST_CAMERAS:
                break
        for head, picture in newest.values():
            self._take(head, picture)

    @property
    def is_up(self) -> bool:
        return self.socket.is_connected

    @property
    def reconnects(self) -> int:
        return max(0, self.socket.connections - 1)

    def _look(self) -> None:
        if self.socket.is_connected:
            self._gone_since = math.inf
            self.trouble.worked()
            return
        self._gone_since = min(self._gone_since, self._clock())
        if self._clock() - self._gone_since >= _PATIENCE:
            self.trouble.happened("connect", "nobody publishes there; trying again")

    def _sort_in(self, parts: list[zmq.Frame], newest: dict[str, tuple[Head, zmq.Frame]]) -> None:
        try:
            with self.desk.counting_refusals(None):
                head = self.read(parts)
        except FrameError as exc:
            self.refuse(exc)
            return
        self.outcomes["superseded"] += head.camera in newest
        newest[head.camera] = (head, parts[1])

    def _take(self, head: Head, picture: zmq.Frame) -> None:
        try:
            with self.desk.counting_refusals(head.camera):
                data = picture.bytes
                wire.check_digest(head.envelope, data)
                self.desk.take(
                    *(head.camera, data, head.envelope),
                    media_type=head.media_type,
                    received=time.time(),
                )
        except FrameError as exc:
            self.refuse(exc)
        else:
            self.outcomes["taken"] += 1
