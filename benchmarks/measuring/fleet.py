"""Fleet: one turn of some number of cameras, and what many turns amount to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.measuring.contest import Turn, turn_of
from benchmarks.measuring.program import Program
from benchmarks.measuring.sink import read_notes

_START_SECONDS = 60.0
_WARM_UP = 3.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """One turn: what came of each camera, and what it cost."""

    seconds: float
    cameras: tuple[Turn, ...] = field(repr=False)
    #: CPU seconds and bytes held, by side: sender and receiver.
    cpu: Mapping[str, float]
    memory: Mapping[str, int]
    #: The share of all cores that was busy, whoever was.
    busy: float

    @property
    def fps(self) -> float:
        """Frames a second of all cameras together."""
        return sum(camera.fps for camera in self.cameras)

    def cpu_per_frame(self, side: str) -> float:
        """Return the microseconds of CPU that a side took for a frame that came through."""
        return 1e6 * self.cpu[side] / max(1, sum(camera.frames for camera in self.cameras))


def measure(notes: Sequence[Path], sides: Mapping[str, Sequence[Program]], seconds: float) -> Fleet:
    """Wait until frames of every camera arrive, then count for `seconds`.

    `notes` has a file for each camera. Raise RuntimeError when a program ends, or frames of a
    camera do not come.
    """
    _wait_for(notes, sides)
    time.sleep(_WARM_UP)
    psutil.cpu_percent()
    started = time.time()
    before = {side: _cpu(programs) for side, programs in sides.items()}
    time.sleep(seconds)
    cpu = {side: _cpu(programs) - before[side] for side, programs in sides.items()}
    ended = time.time()
    busy = psutil.cpu_percent() / 100
    _check(sides)
    return Fleet(
        seconds=ended - started,
        cameras=tuple(_turn(path, started, ended) for path in notes),
        cpu=cpu,
        memory={side: sum(one.memory() for one in programs) for side, programs in sides.items()},
        busy=busy,
    )


def figures(turns: Sequence[Fleet]) -> dict[str, Any]:
    """Return what the results say of one number of cameras.

    Latencies are of all frames of all turns, the rest are medians of the turns.
    """
    ages = [1000 * age for turn in turns for one in turn.cameras for age in one.latencies]
    p50, p95, p99 = np.percentile(ages, (50, 95, 99)) if ages else (0.0, 0.0, 0.0)
    number = len(turns[0].cameras)
    return {
        "fps": round(median(turn.fps for turn in turns), 2),
        "slowest_fps": round(median(min(one.fps for one in turn.cameras) for turn in turns), 2),
        "fastest_fps": round(median(max(one.fps for one in turn.cameras) for turn in turns), 2),
        "missing": sum(one.missing for turn in turns for one in turn.cameras),
        "illegible": sum(one.illegible for turn in turns for one in turn.cameras),
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "cpu_percent_per_camera": {
            side: round(median(100 * turn.cpu[side] / turn.seconds / number for turn in turns), 2)
            for side in turns[0].cpu
        },
        "cpu_us_per_frame": {
            side: round(median(turn.cpu_per_frame(side) for turn in turns)) for side in turns[0].cpu
        },
        "memory_mb": {
            side: round(median(turn.memory[side] for turn in turns) / 1e6, 1)
            for side in turns[0].memory
        },
        "busy_percent": round(100 * median(turn.busy for turn in turns), 1),
    }


def _turn(notes: Path, started: float, ended: float) -> Turn:
    taken = [note for note in read_notes(notes) if started <= note.seen < ended]
    return turn_of(taken, ended - started, cpu={}, memory={})


def _cpu(programs: Sequence[Program]) -> float:
    return sum(program.cpu() for program in programs)


def _wait_for(notes: Sequence[Path], sides: Mapping[str, Sequence[Program]]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while missing := [path for path in notes if not path.exists()]:
        _check(sides)
        if time.monotonic() > give_up:
            raise RuntimeError(f"no frame of {len(missing)} of {len(notes)} cameras came")
        time.sleep(0.1)


def _check(sides: Mapping[str, Sequence[Program]]) -> None:
    for programs in sides.values():
        for program in programs:
            if not program.is_running:
                raise RuntimeError(f"{program.name} ended:\n{program.said()}")
