"""Preroll: the last seconds of one camera, held in memory for an event that may come."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.frame import EncodedFrame

#: The seconds count back from the frame that the hook judged last, so that a slow hook's event has
#: them too; but from so many seconds ago at most.
_UNJUDGED = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """A result, without its pictures. `arrived` is its frame's, monotonic; `weight` is bytes."""

    camera: str
    epoch: str
    seq: int
    arrived: float
    facts: Mapping[str, Any]
    weight: int


class Preroll:
    """For one thread. Times are monotonic seconds."""

    def __init__(self, seconds: float) -> None:
        """Hold the frame that was judged last, what came since, and `seconds` before it."""
        self._seconds = seconds
        self._items: deque[EncodedFrame | Told] = deque()
        self._judged = -math.inf
        self._bytes = 0
        #: Bytes that may be held.
        self.limit = 0

    def hold(self, item: EncodedFrame | Told) -> None:
        self._items.append(item)
        self._bytes += _weigh(item)

    def judge(self, arrived: float) -> None:
        """Note that the hook has looked at a frame that came then."""
        self._judged = max(self._judged, arrived)

    def trim(self, now: float) -> int:
        """Let go of what is too old or too much; return how many frames that were."""
        since = max(self._judged, now - _UNJUDGED) - self._seconds
        dropped = 0
        while self._items and (self._items[0].arrived < since or self._bytes > self.limit):
            item = self._items.popleft()
            self._bytes -= _weigh(item)
            dropped += isinstance(item, EncodedFrame)
        return dropped

    def take(self) -> list[EncodedFrame | Told]:
        """Return all that is held, oldest first, and hold it no more."""
        items = list(self._items)
        self._items.clear()
        self._bytes = 0
        return items


def _weigh(item: EncodedFrame | Told) -> int:
    return item.weight if isinstance(item, Told) else len(item.data)
