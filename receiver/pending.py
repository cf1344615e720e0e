"""Pending: one camera's frames that wait for its hook."""

from __future__ import annotations

import threading
from collections import deque

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
        #: By the frame's identity: a client may give a number for the second time, while the
        #: first frame of that number is with the hook. Frames are kept, or identities would recur.
        self._tickets: dict[int, tuple[EncodedFrame, Ticket]] = {}
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

    def settle(self, result: Result) -> None:
        """Tell the caller, if one waits for it, what the hook made of a frame that was taken."""
        with self._lock:
            self._settle(result.frame, result.state, result)

    def close(self) -> None:
        """Give out no more frames, and tell those who wait for one that stands here."""
        with self._lock:
            self._closed = True
            for frame in (*self._queue, *([self._newest] if self._newest else [])):
                self._settle(frame, "closed")

    def __len__(self) -> int:
        """Return how many frames wait."""
        return len(self._queue) + (self._newest is not None)

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, superseded, waiting) of one moment; they add up to all that came."""
        with self._lock:
            return self._taken, self._superseded, len(self)

    def _issue(self, frame: EncodedFrame, ticket: Ticket | None) -> None:
        if ticket is not None:
            self._tickets[id(frame)] = frame, ticket
            if self._closed:
                self._settle(frame, "closed")

    def _settle(self, frame: EncodedFrame, state: Settlement, result: Result | None = None) -> None:
        self._handed.discard(id(frame))
        _, ticket = self._tickets.pop(id(frame), (frame, None))
        if ticket is not None:
            ticket.settle(state, result)
