"""Trouble: says once that something is wrong, counts the rest, says once that it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable


class Trouble:
    """One kind of thing that may go wrong again and again. Call it from one thread.

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
        self._kinds: set[str] = set()
        self._since = 0.0
        self._last = 0.0
        self._count = 0

    def happened(self, kind: str, sentence: str) -> None:
        """Tell of it, unless this kind was told since all was last well."""
        self._last = self._clock()
        if not self._kinds:
            self._since = self._last
            self._count = 0
        self._count += 1
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._logger.warning("%s: %s", self._subject, sentence)

    def worked(self) -> None:
        """Tell that it is over, if it was told of and works for long enough."""
        if self._kinds and self._clock() - self._last >= self._settle:
            self._logger.info(
                "%s: %s after %.1f s and %d failures",
                self._subject,
                self._over,
                self._last - self._since,
                self._count,
            )
            self._kinds.clear()
