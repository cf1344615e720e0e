"""Trouble: log each distinct one once, then count it."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_REMEMBERED = 100
_SUMMARY_EVERY = 10.0
#: `ValueError: no face in frame 17 (my_hook.py:12)`: the text varies, the type and place do not.
_RAISED = re.compile(r"(?P<type>\w+)(: .*)?(?P<place> \([^()]+:\d+\))")


class Trouble:
    """What goes wrong with one hook, on any of its workers. Any thread may report."""

    def __init__(self, subject: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._subject = subject
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, None] = {}
        self._repeats = 0
        self._said_at = clock()

    def report(self, sentence: str, details: str = "") -> list[str]:
        """Log `sentence`, and `details` line by line, unless that was said before.

        Return the lines that were logged, without the subject.
        """
        raised = _RAISED.fullmatch(sentence)
        key = raised["type"] + raised["place"] if raised else re.sub(r"\d+", "#", sentence)
        with self._lock:
            new = key not in self._known
            self._known[key] = None
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
            now = self._clock()
            repeats = 0
            if not new:
                self._repeats += 1
                if now - self._said_at < _SUMMARY_EVERY:
                    return []
                repeats, self._repeats, self._said_at = self._repeats, 0, now
            else:
                self._said_at = now
        if repeats:
            said = [f"{repeats} more failures, the last: {sentence}"]
        else:
            said = [sentence.removeprefix(f"{self._subject}: ")]
        logger.warning("%s: %s", self._subject, said[0])
        for line in details.splitlines() if not repeats else ():
            logger.warning("%s | %s", self._subject, line)
            said.append(line)
        return said

    def forget(self) -> None:
        """Begin anew: the hook was changed, or works again."""
        with self._lock:
            self._known.clear()
