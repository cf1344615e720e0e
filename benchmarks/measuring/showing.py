"""Showing: one turn before some number of viewers, and what many turns amount to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measuring.contest import Turn


@dataclass(frozen=True, slots=True)
class Showing:
    """One turn. Rates are a second's."""

    viewers: int
    #: Pictures that each viewer got which is not stuck.
    fps: tuple[float, ...]
    #: CPU seconds that the server took in a second.
    cpu: float
    #: What the first viewer saw; its latencies are the ages of pictures.
    seen: Turn
    #: What went on beside the viewers; None where nothing does.
    received_fps: float | None = None
    hook_fps: float | None = None
    encoded_fps: float | None = None


def figures(showings: Sequence[Showing]) -> dict[str, Any]:
    """Return what the results say of one contestant: medians of its turns."""
    numbers = sorted({one.viewers for one in showings})
    rows = {n: _row([one for one in showings if one.viewers == n]) for n in numbers}
    for name in ("received_fps", "hook_fps"):
        alone = rows[0][name] if 0 in rows else None
        for row in rows.values():
            rate = row[name]
            row[f"{name}_share"] = round(rate / alone, 4) if rate and alone else None
    return {
        "cpu_us_per_picture": round(marginal_cpu(showings), 1),
        "viewers": {str(number): row for number, row in rows.items()},
    }


def marginal_cpu(showings: Sequence[Showing]) -> float:
    """Return the microseconds of CPU that a viewer's picture costs.

    That is, the CPU of the most viewers less that of the fewest (nobody does not count, for then
    some need not even encode), divided by the pictures that were seen more.
    """
    watched = sorted({one.viewers for one in showings if one.viewers})
    cpu, shown = _at(showings, watched[-1])
    if len(watched) > 1:
        less_cpu, less_shown = _at(showings, watched[0])
        cpu, shown = cpu - less_cpu, shown - less_shown
    return 1e6 * cpu / max(1.0, shown)


def _at(showings: Sequence[Showing], viewers: int) -> tuple[float, float]:
    turns = [one for one in showings if one.viewers == viewers]
    return median(one.cpu for one in turns), median(sum(one.fps) for one in turns)


def _row(turns: Sequence[Showing]) -> dict[str, float | None]:
    ages = [1000 * age for one in turns for age in one.seen.latencies]
    p50, p99 = np.percentile(ages, (50, 99)) if ages else (None, None)
    return {
        "fps": _median(median(one.fps) for one in turns if one.fps),
        "slowest_fps": _median(min(one.fps) for one in turns if one.fps),
        "age_p50_ms": None if p50 is None else round(float(p50), 2),
        "age_p99_ms": None if p99 is None else round(float(p99), 2),
        "illegible": sum(one.seen.illegible for one in turns),
        "cpu_percent": _median(100 * one.cpu for one in turns),
        "memory_mb": _median(max(one.seen.memory.values()) / 1e6 for one in turns),
        "received_fps": _median(one.received_fps for one in turns),
        "hook_fps": _median(one.hook_fps for one in turns),
        "encoded_fps": _median(one.encoded_fps for one in turns),
    }


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 2) if known else None
