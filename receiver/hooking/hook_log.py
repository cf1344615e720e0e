"""HookLog: the newest lines that hooks printed, and what was said of them, for people to read."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from receiver.child.output import plain
from shared.redact import redact

#: Of each hook.
_LINES = 500
_MAX_BYTES = 256 * 1024

#: The hook itself, or whoever runs it.
By = Literal["hook", "receiver"]


@dataclass(frozen=True, slots=True)
class Line:
    """`id` grows from line to line over all hooks; `at` is Unix seconds."""

    id: int
    at: float
    hook: str
    worker: int
    by: By
    line: str

    @property
    def weight(self) -> int:
        """Return the bytes of memory that it takes, roughly."""
        return sys.getsizeof(self.line) + 200


class HookLog:
    """Keep each hook's newest lines; what is old makes room. Any thread; nothing in it waits.

    Lines are harmless to show: without passwords, control characters and a terminal's sequences.
    """

    def __init__(
        self,
        hooks: Sequence[str],
        *,
        lines: int = _LINES,
        max_bytes: int = _MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`hooks`: the targets; `lines` and `max_bytes` bound what is kept of each."""
        self._lines: dict[str, deque[Line]] = {hook: deque() for hook in hooks}
        self._weights = dict.fromkeys(hooks, 0)
        self._most = lines
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        # Begins at the time, so that it is higher than any of the process before this one: whoever
        # asks for what came after a line of that one gets all of this.
        self._last = round(clock() * 1000)

    def add(self, hook: str, worker: int, line: str, *, by: By) -> None:
        text = redact(plain(line))
        with self._lock:
            self._last += 1
            added = Line(self._last, self._clock(), hook, worker, by, text)
            kept = self._lines[hook]
            kept.append(added)
            self._weights[hook] += added.weight
            while len(kept) > self._most or self._weights[hook] > self._max_bytes:
                self._weights[hook] -= kept.popleft().weight

    def newest(
        self, lines: int, *, hook: str | None = None, after: int = 0
    ) -> tuple[list[Line], int]:
        """Return the newest lines after the one whose id is `after`, oldest first; all hooks'
        without `hook`. And the id to ask with for those that come later.
        """
        with self._lock:
            last = self._last
            logs = self._lines.values() if hook is None else [self._lines[hook]]
            found = [line for log in logs for line in log if line.id > after or after > last]
        found.sort(key=lambda line: line.id)
        return found[-lines:], last
