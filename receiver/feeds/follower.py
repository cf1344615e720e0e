"""Follower: one reader's place in the journal; who is too slow goes on with the newest results."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from receiver.feeds.journal import Entry, Journal
from shared.latest import Closed

#: So many results may wait for a reader.
_MAX_LAG = 1000


@dataclass(frozen=True, slots=True)
class Skipped:
    """Results that a reader does not get; `number` is that of an entry before the next one.

    slow: the reader did not keep up · expired: it came back too late · restarted: it followed a
    former receiver, whose results nobody counted (`count` is None).
    """

    count: int | None
    reason: Literal["slow", "expired", "restarted"]
    number: int


class Follower:
    """Gives the results of `cameras`, or of all, in order. For one thread."""

    def __init__(
        self,
        journal: Journal,
        *,
        cameras: Collection[str] | None = None,
        after: str | None = None,
        max_lag: int = _MAX_LAG,
    ) -> None:
        """Begin behind the entry whose id is `after`, with what is held.

        Without one begin with the newest result of each camera.
        """
        self._journal = journal
        self._cameras = cameras
        self._max_lag = max_lag
        self._ahead: deque[Entry] = deque()
        self._notice: Skipped | None = None
        with journal.changed:
            #: Whoever comes back may take what was held then, however much it is.
            self._caught_up = journal.last
            self._place = journal.last
            if after is None:
                self._ahead.extend(journal.newest(cameras))
            else:
                self._return(journal.parse_id(after))

    @property
    def place(self) -> int:
        """The number of the last entry that was given or passed over."""
        return self._place

    @property
    def is_up_to_date(self) -> bool:
        """Tell whether nothing up to `place` is still to be given."""
        return not self._ahead and self._notice is None

    def next(self, timeout: float) -> Entry | Skipped | None:
        """Return what comes next, or None after `timeout` seconds without any.

        Raise Closed when the journal was closed and nothing is left.
        """
        journal = self._journal
        with journal.changed:
            journal.wait(lambda: journal.is_closed or self._is_waiting(), timeout)
            if self._is_behind():
                self._jump()
            if self._notice is not None:
                notice, self._notice = self._notice, None
                return notice
            if self._ahead:
                return self._ahead.popleft()
            if self._is_waiting():
                self._place += 1
                return journal.entry(self._place)
            if journal.is_closed:
                raise Closed
            return None

    def _return(self, number: int | None) -> None:
        oldest = self._journal.first - 1
        self._place = oldest if number is None else max(number, oldest)
        # A quiet camera's newest result is held for longer than the rest.
        after = number or 0
        self._ahead.extend(
            entry
            for entry in self._journal.newest(self._cameras)
            if after < entry.number <= self._place
        )
        before = self._ahead[0].number - 1 if self._ahead else self._place
        if number is None:
            self._notice = Skipped(None, "restarted", before)
        else:
            passed = self._journal.count(number, self._place, self._cameras)
            self._skip(passed - len(self._ahead), "expired", before)

    def _is_waiting(self) -> bool:
        """Tell whether there is something to give, and pass over what others' cameras gave."""
        if self._notice is not None or self._ahead:
            return True
        journal = self._journal
        if self._place < journal.first - 1:
            return True
        while self._place < journal.last:
            if self._is_wanted(journal.entry(self._place + 1)):
                return True
            self._place += 1
        return False

    def _is_wanted(self, entry: Entry) -> bool:
        return self._cameras is None or entry.camera in self._cameras

    def _is_behind(self) -> bool:
        journal = self._journal
        oldest = journal.first - 1
        if self._place < oldest:
            if journal.count(self._place, oldest, self._cameras):
                return True
            self._place = oldest
        new = max(self._place, self._caught_up)
        return journal.count(new, journal.last, self._cameras) > self._max_lag

    def _jump(self) -> None:
        """Leave out all but each camera's newest result."""
        journal = self._journal
        held = set(self._ahead)
        newest = [
            entry
            for entry in journal.newest(self._cameras)
            if entry.number > self._place or entry in held
        ]
        passed = journal.count(self._place, journal.last, self._cameras)
        before = newest[0].number - 1 if newest else journal.last
        self._skip(passed + len(held) - len(newest), "slow", before)
        self._ahead = deque(newest)
        self._place = journal.last

    def _skip(self, count: int, reason: Literal["slow", "expired"], number: int) -> None:
        if count == 0:
            return
        self._journal.skipped += count
        told = self._notice.count or 0 if self._notice is not None else 0
        self._notice = Skipped(count + told, reason, number)
