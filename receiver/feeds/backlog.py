"""Backlog: what waits in the journal for one webhook, in order; the oldest make room."""

from __future__ import annotations

from receiver.feeds.journal import Entry, Journal

_LIMIT = 1000


class Backlog:
    """Gives every result that comes from now on. `take` from one thread, the rest from any."""

    def __init__(self, journal: Journal, *, limit: int = _LIMIT) -> None:
        self._journal = journal
        self._limit = limit
        self._start = self._place = journal.last
        self._dropped = 0
        self._awake = False

    def take(self, timeout: float) -> Entry | None:
        """Return the oldest that waits, or None after `timeout` seconds or once woken."""
        journal = self._journal
        with journal.changed:
            journal.wait(lambda: self._awake or journal.last > self._place, timeout)
            self._make_room()
            if journal.last == self._place:
                return None
            self._place += 1
            return journal.entry(self._place)

    def wake(self) -> None:
        """End a `take` that waits, and let no later one wait."""
        with self._journal.changed:
            self._awake = True
            self._journal.changed.notify_all()

    def abandon(self) -> int:
        """Give up what waits, and return how many that were."""
        with self._journal.changed:
            self._make_room()
            left = self._journal.last - self._place
            self._place = self._journal.last
            return left

    def counts(self) -> tuple[int, int]:
        """Return (came, dropped for want of room) of one moment."""
        with self._journal.changed:
            self._make_room()
            return self._journal.last - self._start, self._dropped

    def _make_room(self) -> None:
        oldest = max(self._journal.first - 1, self._journal.last - self._limit)
        if self._place < oldest:
            self._dropped += oldest - self._place
            self._place = oldest
