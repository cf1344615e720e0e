"""Watch: which of some files have changed, told when they have come to rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

_Signature = tuple[int, int, int] | None


class Watch:
    """Look at files now and then (file events do not cross all mounts). For one thread."""

    def __init__(
        self, interval: float = 0.25, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._known: dict[str, _Signature] = {}
        self._moving: dict[str, _Signature] | None = None
        #: When to look next, by the clock.
        self.due = clock() + interval

    def follow(self, files: Iterable[str]) -> None:
        """Watch these files and no others; those watched already keep their last known state."""
        self._known = {
            file: self._known[file] if file in self._known else _signature(file) for file in files
        }

    def also(self, files: Iterable[str]) -> None:
        """Watch these files too."""
        self.follow([*self._known, *files])

    def changed(self) -> list[str]:
        """Return the files that changed and then stayed so for an interval; each change once."""
        if self._clock() < self.due:
            return []
        self.due = self._clock() + self._interval
        now = {file: _signature(file) for file in self._known}
        changed = [file for file, signature in now.items() if signature != self._known[file]]
        if not changed:
            self._moving = None
        elif now != self._moving:  # an editor may still be writing
            self._moving = now
            return []
        else:
            self._known, self._moving = now, None
        return changed


def _signature(file: str) -> _Signature:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
