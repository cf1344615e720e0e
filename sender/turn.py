"""Turn: which of a camera's posters may take a frame and send it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shared.backoff import Backoff

#: A receiver that comes back is found again within this time.
_CEILING = 1.0


class Turn:
    """One at a time has it, from taking a frame until that is sent. Any thread.

    So frames leave one after the other, in order, each with the whole line to itself, and only the
    waits for their replies overlap. Of those who wait the lowest rank comes first: a connection
    that is not needed stays unused. What the receiver said to one, to wait for instance, holds for
    all.
    """

    def __init__(
        self, *, backoff: Backoff | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backoff = backoff or Backoff(0.1, _CEILING)
        self._clock = clock
        self._changed = threading.Condition()
        self._holder: int | None = None
        self._waiting: set[int] = set()
        self._rests_until = 0.0

    def take(self, rank: int, timeout: float) -> bool:
        """Wait for the turn; False when it did not come within `timeout` seconds."""
        end = self._clock() + timeout
        with self._changed:
            self._waiting.add(rank)
            while (now := self._clock()) < end:
                is_first = self._holder is None and rank == min(self._waiting)
                if is_first and now >= self._rests_until:
                    self._holder = rank
                    break
                self._changed.wait(min(end, self._rests_until if is_first else end) - now)
            self._waiting.remove(rank)
            if self._holder != rank:
                self._changed.notify_all()  # others may have waited behind it
            return self._holder == rank

    def give(self, rank: int) -> None:
        """Let the next one have it; nothing where `rank` does not have it."""
        with self._changed:
            if self._holder == rank:
                self._holder = None
                self._changed.notify_all()

    def rest(self, at_least: float = 0.0) -> None:
        """Let nobody have it for a while, the longer the more often it came to that.

        Jitter makes `at_least` seconds longer, never shorter.
        """
        with self._changed:
            seconds = self._backoff.next(at_least)
            self._rests_until = max(self._rests_until, self._clock() + seconds)

    @property
    def is_resting(self) -> bool:
        """Whether nobody may have it now; who has it already should wait for it anew."""
        return self._clock() < self._rests_until

    def worked(self) -> None:
        """Begin with short rests again."""
        self._backoff.reset()
