"""Schedule: when cameras are recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

_WINDOW = re.compile(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", re.ASCII)
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Schedule:
    """`always`; in `windows` of local time, minutes of the day; `event`: when a hook asks."""

    always: bool = False
    event: bool = False
    windows: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, words: Sequence[str]) -> Self:
        """Read `always`, `event` and `HH:MM-HH:MM`; raise ValueError with one sentence."""
        windows = tuple(_window(word) for word in words if word not in ("always", "event"))
        return cls("always" in words, "event" in words, windows)

    def is_on(self, now: datetime) -> bool:
        """Tell whether cameras are recorded at this local time, without an event."""
        minute = now.hour * 60 + now.minute
        return self.always or any(
            start <= minute < end if start < end else minute >= start or minute < end
            for start, end in self.windows
        )


def _window(word: str) -> tuple[int, int]:
    match = _WINDOW.fullmatch(word)
    if match:
        start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
        start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
        valid = start_minute < 60 and end_minute < 60 and start < _DAY and end <= _DAY
        if valid and start != end:
            return start, end
    raise ValueError(f"expected always, event or HH:MM-HH:MM, got {word[:80]!r}")
