"""Pending: one camera's frames that wait for its hook."""

from __future__ import annotations

import threading
from collections import deque

from receiver.order import is_same
from receiver.result import Result
from receiver.ticket import Settlement, Ticket
from shared.errors import FrameError
from shared.frame import EncodedFrame


class Pending:
    """The newest frame, and those that are to be processed even if newer ones come.

    A frame of a caller who wants every one answered stands in a bounded queue, before the newest
    of the others, which takes the place of the one before it. All methods may be called from any
    thread, and none blocks.
    """

    def __init__(self, *, limit: int) -> None:
        """`limit`: how many frames may stand in the queue."""
        self._limit = limit
        self._lock = threading.Lock()
        self._newest: EncodedFrame | None = None
        self._queue: deque[EncodedFrame] = deque()
        #: What waits, or is with the hook, by the frame's identity: a client may give a number for
        #: the second time while the first frame of that number is with the hook. Frames are kept,
        #: or identities would recur.
        self._open: dict[int, tuple[EncodedFrame, Ticket | None]] = {}
        self._handed: set[int] = set()
        self._taken = self._superseded = 0
        self._closed = False

    def put(self, frame: EncodedFrame, ticket: Ticket | None = None) -> None:
        """Let `frame` wait, in place of the newest that still does."""
        with self._lock:
            if self._newest is not None:
                self._superseded += 1
                self._settle(self._newest, "superseded")
            self._newest = frame
            self._issue(frame, ticket)

    def append(self, frame: EncodedFrame, ticket: Ticket | None = None) -> None:
        """Let `frame` wait until it is taken; see `check_room`."""
        with self._lock:
            self._queue.append(frame)
            self._issue(frame, ticket)

    def repeat(self, frame: EncodedFrame, *, every: bool) -> bool:
        """Say whether the same frame came before, and waits or is with the hook.

        With `every` it will be processed even if newer ones come; raise FrameError (503) where too
        many wait for that.
        """
        with self._lock:
            first = self._find(frame)
            if every and first is not None and first is self._newest:
                self.check_room()
                self._newest = None
                self._queue.append(first)
            return first is not None

    def join(self, frame: EncodedFrame, ticket: Ticket) -> Ticket | None:
        """Return the ticket of the same frame that came before; `ticket`, where it had none.

        None where something became of it meanwhile.
        """
        with self._lock:
            first = self._find(frame)
            if first is None:
                return None
            held = self._open[id(first)][1]
            if held is None:
                held = ticket
                self._issue(first, held)
            return held

    def check_room(self) -> None:
        """Raise FrameError (503) when the queue is full."""
        if self.queued >= self._limit:
            raise FrameError(
                f"queue: expected at most {self._limit} frames of a camera that wait for the hook; "
                "it is slower than they come",
                status=503,
                reason="queue",
            )

    @property
    def queued(self) -> int:
        """How many frames take up room in the queue."""
        return len(self._queue) + len(self._handed)

    def take(self) -> EncodedFrame | None:
        """Return the frame whose turn it is, or None; whoever takes it owes a result."""
        turn = self._take()
        return None if turn is None else turn[0]

    def hand_over(self) -> tuple[EncodedFrame, bool] | None:
        """As `take`, for one who lets frames wait elsewhere.

        With the frame comes whether it is to be processed even if newer ones come; if so it takes
        up room here until it is settled.
        """
        turn = self._take()
        if turn is not None and turn[1]:
            with self._lock:
                self._handed.add(id(turn[0]))
        return turn

    def _take(self) -> tuple[EncodedFrame, bool] | None:
        with self._lock:
            if self._closed:
                return None
            every = bool(self._queue)
            if every:
                frame: EncodedFrame | None = self._queue.popleft()
            else:
                frame, self._newest = self._newest, None
            if frame is None:
                return None
            self._taken += 1
            return frame, every

    def supersede(self, frame: EncodedFrame) -> None:
        """Note that a frame that was taken gave way to a newer one after all, on the bus."""
        with self._lock:
            self._taken -= 1
            self._superseded += 1
            self._settle(frame, "superseded")

    def abandon(self, frame: EncodedFrame, error: str) -> None:
        """Tell the caller that a frame that was taken has no result here, and why."""
        with self._lock:
            self._settle(frame, "closed", Result.failed(frame, error))

    def settle(self, result: Result) -> None:
        """Tell the caller, if one waits for it, what the hook made of a frame that was taken."""
        with self._lock:
            self._settle(result.frame, result.state, result)

    def close(self) -> None:
        """Give out no more frames, and tell those who wait for one that stands here."""
        with self._lock:
            self._closed = True
            for frame in (*self._queue, *([self._newest] if self._newest else [])):
                # It stays open: nothing became of it, and whoever repeats it is told so too.
                self._issue(*self._open[id(frame)])

    def __len__(self) -> int:
        """Return how many frames wait."""
        return len(self._queue) + (self._newest is not None)

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, superseded, waiting) of one moment; they add up to all that came."""
        with self._lock:
            return self._taken, self._superseded, len(self)

    def _find(self, frame: EncodedFrame) -> EncodedFrame | None:
        # Few are open at once, and seldom does one come twice. The newest of that name is meant.
        found = (held for held, _ in reversed(self._open.values()) if is_same(held, frame))
        return next(found, None)

    def _issue(self, frame: EncodedFrame, ticket: Ticket | None) -> None:
        self._open[id(frame)] = frame, ticket
        if self._closed and ticket is not None:
            ticket.settle("closed")

    def _settle(self, frame: EncodedFrame, state: Settlement, result: Result | None = None) -> None:
        self._handed.discard(id(frame))
        _, ticket = self._open.pop(id(frame), (frame, None))
        if ticket is not None:
            ticket.settle(state, result)
