"""Turns: in which order the parts of one wall come to speak."""

from __future__ import annotations

import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Protocol


class Part(Protocol):
    """What a wall shows in one place, such as a camera's pictures."""

    #: For Turns: whether the part waits for its turn.
    is_waiting: bool

    def take(self) -> bytes | None:
        """Return the record to send now, None where there is none; raise Closed at the end."""


class Turns:
    """Gives a turn to each part that has something new, to who had it first.

    A part stands in the line once, however much it has had since it was rung for; so the line is
    no longer than there are parts, none waits for more than all others, and what a part shows when
    its turn comes is the newest that it has. `ring` from any thread, the rest from one.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line: SimpleQueue[Part] = SimpleQueue()
        #: (when, tie-breaker, part)
        self._later: list[tuple[float, int, Part]] = []
        self._numbers = count()

    def ring(self, part: Part) -> None:
        """Give `part` a turn; never blocks."""
        # Two threads at once may put it in twice, which costs a turn without anything to show.
        if not part.is_waiting:
            part.is_waiting = True
            self._line.put(part)

    def ring_at(self, when: float, part: Part) -> None:
        """Give `part` a turn at that moment of the monotonic clock."""
        heappush(self._later, (when, next(self._numbers), part))

    def next(self) -> Part:
        """Wait for the part whose turn it is."""
        while True:
            now = self._clock()
            while self._later and self._later[0][0] <= now:
                self.ring(heappop(self._later)[2])
            left = self._later[0][0] - now if self._later else None
            try:
                part = self._line.get(timeout=left)
            except Empty:
                continue
            # First this: what comes from here on is a new turn.
            part.is_waiting = False
            return part
