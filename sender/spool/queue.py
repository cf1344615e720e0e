"""FrameQueue: captured frames in memory, in order, until the spooler has written them."""

from __future__ import annotations

import threading
from collections import deque

from sender.reader import CapturedFrame
from shared.latest import Closed


class FrameQueue:
    """Bounded by frames and by bytes; `put` never waits. A frame that finds no room is left out,
    and counted: where it would stand, older ones stand, and order is what is promised.

    The reader puts, one other thread gets, any looks at the counts.
    """

    def __init__(self, *, max_frames: int = 250, max_bytes: int = 64_000_000) -> None:
        """One frame always finds room, however large it is."""
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._frames: deque[CapturedFrame] = deque()
        self._bytes = 0
        self._taken = self._left_out = 0
        self._closed = False

    def put(self, frame: CapturedFrame) -> None:
        size = frame.picture.held_bytes
        with self._changed:
            if self._closed:
                return
            is_full = len(self._frames) >= self._max_frames or self._bytes + size > self._max_bytes
            if self._frames and is_full:
                self._left_out += 1
                return
            self._frames.append(frame)
            self._bytes += size
            self._changed.notify_all()

    def get(self, timeout: float) -> CapturedFrame | None:
        """Return the oldest frame, None after `timeout` seconds without any.

        Raise Closed when it was closed and nothing is left.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._frames or self._closed, timeout):
                return None
            if not self._frames:
                raise Closed
            frame = self._frames.popleft()
            self._bytes -= frame.picture.held_bytes
            self._taken += 1
            self._changed.notify_all()
            return frame

    def close(self) -> None:
        """Let what is held be taken; later frames are ignored."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_until_taken(self, timeout: float | None = None) -> bool:
        """Wait, as the reader, until nothing is held; False on time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._frames, timeout)

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, left out, waiting) of one moment; they add up to all that was put."""
        with self._changed:
            return self._taken, self._left_out, len(self._frames)
