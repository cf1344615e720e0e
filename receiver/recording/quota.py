"""Quota: the oldest recordings make room, by size and by age."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from receiver.recording.shelf import Recording, Shelf
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

#: Seconds between two looks at what lies on the disk: at most, and when there is too much.
_LOOK = 30.0
_SOON = 1.0
#: What a full disk is given back at a time, as a part of what there is.
_SHARE = 20


class Quota:
    """Keeps a shelf within its limits. For the recorder's thread, but for the figures.

    What is being written is counted and never removed. Age counts from a recording's beginning.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        max_bytes: int | None,
        max_age: float | None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """None for no limit. `wall` gives Unix seconds."""
        self._shelf = shelf
        self.max_bytes = max_bytes
        self.max_age = max_age
        self._wall = wall
        self._clock = clock
        self._looked_at = float("-inf")
        self._trouble = Trouble("recordings", over="old ones can be removed again", logger=logger)
        #: Bytes of all recordings, and how many recordings were removed.
        self.bytes = self.removed = 0
        self._oldest: float | None = None

    def wrote(self, size: int) -> None:
        """Count what was written since the last look."""
        self.bytes += size

    def keep(self) -> None:
        """Remove what is too old or too much; cheap while there is nothing to do."""
        if self._clock() - self._looked_at >= (_SOON if self.is_over else _LOOK):
            self._look()

    @property
    def is_over(self) -> bool:
        """Tell whether there is too much, because what is being written is that much."""
        return self.max_bytes is not None and self.bytes > self.max_bytes

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest recording; 0 where there is none. Any thread."""
        return 0.0 if self._oldest is None else max(0.0, self._wall() - self._oldest)

    def make_room(self) -> bool:
        """Remove the oldest for a disk that is full; say whether anything was removed.

        Without any limit nothing is ever removed.
        """
        if self.max_bytes is None and self.max_age is None:
            return False
        found = self._shelf.all()
        goal = max(1, sum(one.bytes for one in found) // _SHARE)
        freed = self._remove_oldest(found, lambda _, freed: freed < goal)
        self.bytes -= freed
        return freed > 0

    def _look(self) -> None:
        self._looked_at = self._clock()
        found = self._shelf.all()
        total = sum(one.bytes for one in found)
        now = self._wall()

        def is_due(one: Recording, freed: int) -> bool:
            too_old = self.max_age is not None and now - one.started > self.max_age
            return too_old or (self.max_bytes is not None and total - freed > self.max_bytes)

        self.bytes = total - self._remove_oldest(found, is_due)
        self._oldest = found[-1].started if found else None

    def _remove_oldest(
        self, found: list[Recording], is_due: Callable[[Recording, int], bool]
    ) -> int:
        """Remove from the end of `found` while `is_due`; return how many bytes that were."""
        freed = 0
        kept = []
        while found and is_due(found[-1], freed):
            oldest = found.pop()
            if oldest.is_written():
                kept.append(oldest)
                continue
            try:
                self._shelf.remove(oldest)
            except OSError as exc:
                sentence = f"{oldest.camera}/{oldest.name} cannot be removed ({exc.strerror})"
                self._trouble.happened("remove", sentence)
                kept.append(oldest)
                continue
            self._trouble.worked()
            freed += oldest.bytes
            self.removed += 1
        found.extend(reversed(kept))
        return freed
