"""Trouble: says once that something is wrong, counts the rest, says once that it is over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable


class Trouble:
    """One kind of thing that may go wrong again and again. Any thread.

    It is over when it has worked for `settle` seconds, so that what works every other time is
    told once and not twice a second.
    """

    def __init__(
        self,
        subject: str,
        *,
        over: str,
        logger: logging.Logger,
        settle: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`over` says that it is over, as in "camera cam1: frames come again after 3.0 s ..."."""
        self._subject = subject
        self._over = over
        self._logger = logger
        self._settle = settle
        self._clock = clock
        self._lock = threading.Lock()
        #: The last trouble in one sentence; stays after it is over.
        self.last: str | None = None
        self._kinds: set[str] = set()
        self._since = 0.0
        self._last = 0.0
        self._count = 0

    def happened(self, kind: str, sentence: str) -> None:
        """Tell of it, unless this kind was told since all was last well."""
        with self._lock:
            self._last = self._clock()
            self.last = sentence
            if not self._kinds:
                self._since = self._last
                self._count = 0
            self._count += 1
            is_new = kind not in self._kinds
            self._kinds.add(kind)
        if is_new:
            self._logger.warning("%s: %s", self._subject, sentence)

    def worked(self) -> None:
        """Tell that it is over, if it was told of and works for long enough."""
        with self._lock:
            if not self._kinds or self._clock() - self._last < self._settle:
                return
            self._kinds.clear()
            seconds, count = self._last - self._since, self._count
        self._logger.info(
            "%s: %s after %.1f s and %d failures", self._subject, self._over, seconds, count
        )
