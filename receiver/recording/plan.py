"""Plan: what is recorded, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from receiver.recording.schedule import Schedule

#: The longest event that one hook's result or one request may ask for, in seconds.
MAX_EVENT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is recorded, and how much of it is kept."""

    folder: Path
    schedule: Schedule
    #: None for all.
    cameras: Collection[str] | None = None
    #: Seconds before an event, and of a segment.
    before: float = 5.0
    segment: float = 300.0
    max_bytes: int | None = None
    #: Seconds.
    max_age: float | None = None

    def __str__(self) -> str:
        cameras = (
            "all cameras" if self.cameras is None else f"cameras {', '.join(sorted(self.cameras))}"
        )
        limited = self.max_bytes is not None or self.max_age is not None
        kept = "the oldest make room" if limited else "nothing is ever removed"
        return f"{cameras} into {self.folder}; {kept}"


def event_seconds(value: object) -> float | None:
    """Return for how long a hook's result asks to record, None where it does not."""
    asked = value.get("record") if isinstance(value, dict) else None
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not asked > 0:
        return None
    return float(min(asked, MAX_EVENT))  # a whole number may be too large for a float
