"""Spool: one camera's frames on the disk, from their capture until they are settled."""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sender.spool.cursor import Cursor
from sender.spool.pen import Pen, Sync
from sender.spool.record import pack
from sender.spool.recovery import recover
from sender.spool.segment import Segment, remove
from sender.spool.stock import Stock
from sender.spool.stored import Stored, StoredReader
from shared.frame import EncodedFrame
from shared.latest import Closed

#: Seconds without a new frame after which a file with nothing to send is removed.
_IDLE = 5.0
#: The disk has no room, or no more for us.
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Spool:
    """Frames come in by `append` and leave by `settle`, the oldest first.

    `append`, `tidy` and `end` are for one thread; `next`, then `settle` or `put_back`, and
    `pass_over` for another; `stock` for any; `close` when these two are done. No lock is held while
    the disk works.
    """

    def __init__(
        self,
        folder: Path,
        camera: str,
        *,
        max_bytes: int,
        max_age: float | None = None,
        sync: Sync = "interval",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the folder, made if need be; raise Locked, or OSError.

        Beyond `max_bytes`, or `max_age` seconds and an eighth, the oldest frames are given up.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._sync = sync
        self._clock = clock
        self._cursor = Cursor(folder / "cursor")
        try:
            left = recover(folder, self._cursor.number, clock=clock)
        except OSError:
            self._cursor.close()
            raise
        self._pen = Pen(folder, limit=max_bytes, max_age=max_age, sync=sync, clock=clock)
        # Of the frames that an earlier run left, one at a time was on its way.
        fresh = min(left.head + 1, left.next) if self._cursor.is_exact else left.next
        self._reader = StoredReader(camera, own=left.next, fresh=fresh)
        self._changed = threading.Condition()
        self._segments = deque(left.segments)
        #: The oldest frame that is not settled, and the number of the next new one.
        self._head, self._next = left.head, left.next
        self._recovered = left.next - left.head + left.is_torn
        self._damaged = int(left.is_torn)
        self._expired = 0
        #: The oldest frame, once it was read, and whether somebody tries to send it now.
        self._held: Stored | None = None
        self._is_taken = False
        self._ended = False

    def append(self, frame: EncodedFrame) -> int:
        """Store the frame behind all others and return its number; raise OSError where the disk
        does not take it.

        The oldest ones make room for it, where the limit or a full disk asks for that.
        """
        number = self._next
        record = pack(number, frame)
        while self._segments and self.stock().bytes + len(record) > self._max_bytes:
            self._give_up_oldest()
        segment = self._write(record)
        with self._changed:
            if not self._segments or self._segments[-1] is not segment:
                self._segments.append(segment)
            self._next = segment.end = number + 1
            segment.bytes += len(record)
            segment.written = self._clock()
            self._changed.notify_all()
        self._drop_settled()
        return number

    def tidy(self) -> None:
        """Give up what is too old, and have the disk keep the rest; call it once a second.

        Raise OSError.
        """
        now = self._clock()
        while self._segments and self._is_over(self._segments[0], now):
            self._give_up_oldest()
        if self._sync != "none":
            self._pen.sync()
            self._cursor.sync()

    def next(self, timeout: float) -> Stored | None:
        """Return the oldest frame, None when there is none within `timeout` seconds.

        Raise Closed after `end` when there are no more, and OSError when the disk does not give it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._head < self._next or self._ended, timeout)
            if self._head == self._next:
                if self._ended:
                    raise Closed
                return None
            if self._held is not None:
                self._is_taken = True
                return self._held
            segment = self._segments[0]
            self._lose_up_to(segment.first)
            begin, end = self._head, segment.end
        found = self._reader.read(segment.path, begin, end)
        with self._changed:
            if not self._segments or self._segments[0] is not segment:
                return None  # given up meanwhile
            self._lose_up_to(end if found is None else found.number)
            self._held, self._is_taken = found, found is not None
        if found is None:
            self._drop_settled()
        return found

    def settle(self, stored: Stored) -> None:
        """Let go of the frame, whose fate is known; raise OSError where the disk does not note it,
        so that it is sent again after a restart.
        """
        with self._changed:
            self._held, self._is_taken = None, False
            self._head = max(self._head, stored.number + 1)
        self._cursor.move(self._head)
        self._drop_settled()

    def put_back(self, stored: Stored) -> None:
        """Keep the frame for another try."""
        with self._changed:
            self._is_taken = False
            if stored.number < self._head:  # given up meanwhile
                self._held = None
                self._expired += 1

    def pass_over(self) -> None:
        """Count the rest of the oldest file, which cannot be read, as damaged."""
        with self._changed:
            if self._segments:
                self._lose_up_to(self._segments[0].end)
        self._drop_settled()

    def end(self) -> None:
        """Append no more: `next` raises Closed when all is settled."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Have the disk keep what waits, remove the rest, let others open it; raise OSError."""
        try:
            while self._head == self._next and self._segments:
                self._give_up_oldest()
            self._pen.sync()
            self._pen.close()
            self._cursor.sync()
        finally:
            self._reader.close()
            self._pen.drop()
            self._cursor.close()

    @property
    def is_half_full(self) -> bool:
        return self.stock().bytes > self._max_bytes // 2

    def stock(self) -> Stock:
        with self._changed:
            held = self._held
            # Given up while it is on its way: that decides.
            late = self._is_taken and held is not None and held.number < self._head
            begun = self._segments[0].begun if self._head < self._next else self._clock()
            oldest = begun if held is None else held.frame.arrived
            return Stock(
                recovered=self._recovered,
                expired=self._expired,
                damaged=self._damaged,
                waiting=self._next - self._head + late,
                bytes=sum(segment.bytes for segment in self._segments),
                oldest_seconds=max(0.0, self._clock() - oldest),
            )

    def _write(self, record: bytes) -> Segment:
        while True:
            try:
                return self._pen.write(record, self._next)
            except OSError as exc:
                if exc.errno not in _FULL or len(self._segments) <= (self._head < self._next):
                    # Another place may be better; and what is here goes when all in it is settled.
                    self._pen.drop()
                    raise
                self._give_up_oldest()

    def _is_over(self, segment: Segment, now: float) -> bool:
        most = _IDLE if self._head == self._next else self._max_age
        return most is not None and now - segment.written > most

    def _lose_up_to(self, number: int) -> None:
        """Count the frames from the head up to `number` as damaged."""
        self._damaged += max(0, number - self._head)
        self._head = max(self._head, number)

    def _give_up_oldest(self) -> None:
        """Remove the oldest file, whatever waits in it; raise OSError."""
        with self._changed:
            segment = self._segments.popleft()
            self._lose_up_to(segment.first)
            given_up = range(self._head, segment.end)
            self._expired += len(given_up)
            if self._is_taken and self._held is not None and self._held.number in given_up:
                self._expired -= 1  # it may be settled yet
            elif not self._is_taken:
                self._held = None
            self._head = max(self._head, segment.end)
        if self._pen.path == segment.path:
            self._pen.drop()
        remove(segment.path)

    def _drop_settled(self) -> None:
        """Remove the files in which nothing waits, but for the one that is written."""
        while True:
            with self._changed:
                first = self._segments[0] if self._segments else None
                if first is None or first.end > self._head or first.path == self._pen.path:
                    return
                self._segments.popleft()
            with suppress(OSError):  # the next start removes it
                remove(first.path)
