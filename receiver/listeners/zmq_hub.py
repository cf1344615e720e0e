"""ZmqHub: takes the frames that imageZMQ's senders send as requests, and replies to each.

Its socket is a ROUTER, not the REP that imageZMQ's own hub has. A REP can take nothing before it
has replied to whom it took something from: one hook that is waited for, or one sender that dies in
between, and everybody waits.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import zmq

from receiver.desk import Desk
from receiver.fate import Fate
from receiver.listeners.zmq_listener import PARTS, ZmqListener
from receiver.listeners.zmq_place import ZmqPlace
from shared import wire
from shared.errors import FrameError

#: Messages that are taken in a row before replies are looked after.
_IN_A_ROW = 32
#: So many replies may wait for results; beyond, a frame's says at once that it was accepted.
_MOST_WAITING = 1000
#: Seconds to get rid of the last replies.
_LINGER = 0.2


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who waits for a reply, and until when (monotonic seconds); before it, its frame."""

    identity: bytes
    due: float
    camera: str


class ZmqHub(ZmqListener):
    """Replies OK, or `refused STATUS REASON`; with `reply=result` JSON, when the hook is done."""

    def __init__(
        self,
        place: ZmqPlace,
        desk: Desk,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(place, desk, kind=zmq.ROUTER, max_bytes=max_bytes, clock=clock)
        self._clock = clock
        self._waiting: dict[int, _Caller] = {}
        self._number = 0
        #: What became of frames whose callers wait, from other threads.
        self._settled: deque[tuple[int, Fate]] = deque()

    def serve(self) -> None:
        while self._settled:
            number, fate = self._settled.popleft()
            caller = self._waiting.pop(number, None)
            if caller is not None:
                self.replies["written"] += 1
                self._reply(caller.identity, fate.facts())
        self._give_up_on_late_ones()
        if not self.socket.wait(self._left()):
            return
        for _ in range(_IN_A_ROW):
            parts = self.socket.receive(2 + PARTS)
            if parts is None:
                return
            self._take(parts)

    def close(self) -> None:
        """Tell those who still wait that nothing comes, and end."""
        for caller in self._waiting.values():
            self._reply(caller.identity, {"camera": caller.camera, "state": "accepted"})
        self.socket.close(linger=_LINGER)

    def _take(self, parts: list[zmq.Frame]) -> None:
        identity, *rest = parts
        if not rest or len(rest[0]):
            # Nobody who could be replied to: a REQ puts an empty part before its message.
            rest = [identity]
        try:
            reply = self._answer(identity.bytes, rest[1:])
        except FrameError as exc:
            self.refuse(exc)
            said = f"refused {exc.status} {exc}"
            facts = {"state": "refused", "status": exc.status, "error": str(exc)}
            reply = facts if self.place.replies_results else said
        if reply is not None:
            self._reply(identity.bytes, reply)

    def _answer(self, identity: bytes, parts: list[zmq.Frame]) -> object:
        """Take a frame in; return the reply, None where it comes later. Raise FrameError."""
        received = time.time()
        with self.desk.counting_refusals(None):
            head = self.read(parts)
        with self.desk.counting_refusals(head.camera):
            picture = parts[1].bytes
            wire.check_digest(head.envelope, picture)
            if not self.place.replies_results or len(self._waiting) >= _MOST_WAITING:
                fate: Fate | None = self.desk.take(
                    *(head.camera, picture, head.envelope),
                    media_type=head.media_type,
                    received=received,
                )
            else:
                self._number += 1
                number, due = self._number, self._clock() + self.place.wait
                self._waiting[number] = _Caller(identity, due, head.camera)
                try:
                    fate = self.desk.take_and_tell(
                        *(head.camera, picture, head.envelope, partial(self._tell, number)),
                        media_type=head.media_type,
                        received=received,
                    )
                except FrameError:
                    del self._waiting[number]
                    raise
                if fate is not None:
                    del self._waiting[number]
        self.outcomes["taken"] += 1
        if fate is None:
            return None
        return fate.facts() if self.place.replies_results else "OK"

    def _tell(self, number: int, fate: Fate) -> None:
        """Note what became of a frame; from any thread."""
        self._settled.append((number, fate))
        self.socket.ring()

    def _give_up_on_late_ones(self) -> None:
        # Everybody waits equally long, so the first in the line are the first that are due.
        now = self._clock()
        while self._waiting:
            number, caller = next(iter(self._waiting.items()))
            if caller.due > now:
                return
            del self._waiting[number]
            self.replies["late"] += 1
            self._reply(caller.identity, {"camera": caller.camera, "state": "accepted"})

    def _left(self) -> float:
        first = next(iter(self._waiting.values()), None)
        if self._settled:
            return 0.0
        return 1.0 if first is None else min(1.0, first.due - self._clock())

    def _reply(self, identity: bytes, what: object) -> None:
        text = what if isinstance(what, str) else json.dumps(what)
        self.socket.send(identity, b"", text.encode())
