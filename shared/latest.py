"""Latest: the newest item, for any number of readers; an item nobody took in time is replaced.

It is the sender's queue, the hook's input and every browser tab's feed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Raised to a reader that has taken all there will ever be."""


class Latest(Generic[T]):
    """Hold the newest `depth` items and wake everyone who waits for a newer one.

    `put` never blocks and never grows. Every reader keeps its own place, so a slow reader skips
    items without holding up the writer or the other readers. A reader's items are a stack: the
    newest comes first, then the older ones that it has not taken and that are still held. When more
    than `depth` would wait they are cleared: then only the newest waits, until it is taken.
    """

    def __init__(self, depth: int = 1) -> None:
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.depth = depth
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        #: Apart from `_changed`: a reader that takes would else wake all the others.
        self._taken = threading.Condition(lock)
        self._items: deque[T] = deque(maxlen=depth)
        self._version = 0
        self._closed = False
        self._listeners: tuple[Callable[[], None], ...] = ()

    def put(self, item: T) -> None:
        """Make `item` the newest; drop the oldest where there is no room."""
        with self._changed:
            if self._closed:
                return
            self._version += 1
            self._items.append(item)
            self._changed.notify_all()
        for listener in self._listeners:
            listener()

    def peek(self) -> T | None:
        """Return the newest item, or None before the first; take nothing."""
        with self._changed:
            return self._items[-1] if self._items else None

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every `put` and after `close`, on that thread; it must not block.

        Call what is returned to end that.
        """
        with self._changed:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._changed:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    def close(self) -> None:
        """Let readers take what is held, then raise Closed; later puts are ignored."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for listener in self._listeners:
            listener()

    def reader(self) -> LatestReader[T]:
        """Return a new place, to which what is held now counts as new."""
        with self._changed:
            return LatestReader(self)


class LatestReader(Generic[T]):
    """One reader's place in a Latest.

    `get` from one thread at a time; look at the counts from any.
    """

    def __init__(self, latest: Latest[T]) -> None:
        self._latest = latest
        self._start = latest._version - len(latest._items)
        #: When it last took one: the versions that it left, in order, and the newest of all.
        self._left = list(range(self._start + 1, latest._version + 1))
        self._last = latest._version
        #: How many items this reader got.
        self.taken = 0

    def get(self, timeout: float | None = None) -> T | None:
        """Return the newest item not taken yet, or None after `timeout` seconds.

        Raise Closed when the Latest was closed and nothing is left.
        """
        latest = self._latest
        with latest._changed:
            latest._changed.wait_for(lambda: latest._closed or bool(self._waiting()), timeout)
            *left, newest = self._waiting() or [0]
            if not newest:
                if latest._closed:
                    raise Closed
                return None
            self._left, self._last = left, latest._version
            self.taken += 1
            latest._taken.notify_all()
            return latest._items[newest - latest._version - 1]

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is something to take, and leave it there; False on time-out.

        Raise Closed as `get` does.
        """
        latest = self._latest
        with latest._changed:
            latest._changed.wait_for(lambda: latest._closed or bool(self._waiting()), timeout)
            is_there = bool(self._waiting())
            if latest._closed and not is_there:
                raise Closed
            return is_there

    def wait_until_taken(self, timeout: float | None = None) -> bool:
        """Wait, as the writer, until this reader has taken all that is held; False on time-out."""
        latest = self._latest
        with latest._changed:
            return latest._taken.wait_for(lambda: not self._waiting(), timeout)

    def counts(self) -> tuple[int, int, int]:
        """Return (taken, skipped, waiting) of one moment; they add up to all that was put.

        Skipped items were replaced before this reader took them.
        """
        latest = self._latest
        with latest._changed:
            waiting = len(self._waiting())
            put = latest._version - self._start
            return self.taken, put - self.taken - waiting, waiting

    def _waiting(self) -> list[int]:
        """Return the versions that wait for it, the newest last."""
        latest = self._latest
        fresh = range(self._last + 1, latest._version + 1)
        if len(self._left) + len(fresh) > latest.depth:
            return [latest._version]
        oldest = latest._version - len(latest._items) + 1
        return [version for version in (*self._left, *fresh) if version >= oldest]
