"""Tally: what became of one camera's frames at the recorder; the sums close."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["slow", "disk", "late", "switched", "corrupt", "shared_memory"]
#: slow: the disk was, and the queue full · disk: it refused · late: a newer one was written ·
#: switched: size or epoch changed twice within a second · corrupt: made no JPEG ·
#: shared_memory: lies in another program's memory.
REASONS: tuple[Reason, ...] = ("slow", "disk", "late", "switched", "corrupt", "shared_memory")


@dataclass(slots=True)
class Tally:
    """Counts; `taken` = recorded + passed + lost + those that wait or are held for an event."""

    taken: int = 0
    recorded: int = 0
    #: Not asked for: outside the times, without an event.
    passed: int = 0
    #: All reasons from the start, so that other threads may read while one counts.
    lost: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    #: Results for which the queue had no room, or that came when their recording was over.
    results_lost: int = 0
