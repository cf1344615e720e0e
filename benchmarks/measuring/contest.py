"""Contest: contestants at the same work by turns, A B A B, so that the machine's moods hit all."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np
from tqdm import tqdm

from benchmarks.measuring.program import Program
from benchmarks.measuring.sink import VARIABLE, Note, read_notes

#: Frames must have arrived for so long, in seconds, before anything is counted.
_WARM_UP = 2.0
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one contestant did in one turn."""

    seconds: float
    #: Pictures that arrived and whose number was read; each counts once.
    frames: int
    #: Pictures that arrived and were illegible, and such as came a second time.
    illegible: int
    repeated: int
    #: Pictures that were replaced or lost on the way: numbers between the first and the last to
    #: arrive that never did.
    missing: int
    #: Seconds from the time in the picture to the end of the way.
    latencies: tuple[float, ...] = field(repr=False)
    #: CPU seconds, and bytes held at the end of the turn, by process.
    cpu: Mapping[str, float]
    memory: Mapping[str, int]

    @property
    def fps(self) -> float:
        return self.frames / self.seconds

    def cpu_per_frame(self) -> dict[str, float]:
        """Return the microseconds of CPU that each process took for a frame."""
        return {name: 1e6 * cpu / max(1, self.frames) for name, cpu in self.cpu.items()}


class Contestant(Protocol):
    """Who has turns."""

    @property
    def name(self) -> str: ...

    def run(self, seconds: float) -> Turn: ...


@dataclass(frozen=True, slots=True)
class Chain:
    """A contestant of processes: `programs(notes)` names them in the order in which they start.

    Each is entered before the next one is made, so a later one can ask an earlier one for its port.
    The last process of the way gets the file of notes in the variable BENCHMARK_NOTES.
    """

    name: str
    programs: Callable[[ExitStack, Mapping[str, str]], Sequence[Program]]

    def run(self, seconds: float) -> Turn:
        """Start everything, wait until pictures arrive, measure, stop everything."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            notes = folder / "notes"
            programs = self.programs(stack, {VARIABLE: str(notes)})
            wait_for(notes, programs)
            time.sleep(_WARM_UP)
            return measure(notes, programs, seconds)


def measure(notes: Path, programs: Sequence[Program], seconds: float) -> Turn:
    """Count for `seconds` what arrives and what it costs."""
    started = time.time()
    before = {program.name: program.cpu() for program in programs}
    time.sleep(seconds)
    cpu = {program.name: program.cpu() - before[program.name] for program in programs}
    ended = time.time()
    memory = {program.name: program.memory() for program in programs}
    _check(programs)
    taken = [note for note in read_notes(notes) if started <= note.seen < ended]
    return turn_of(taken, ended - started, cpu=cpu, memory=memory)


def turn_of(
    notes: Sequence[Note],
    seconds: float,
    *,
    cpu: Mapping[str, float],
    memory: Mapping[str, int],
) -> Turn:
    """Return what `notes` amount to."""
    legible = [note for note in notes if note.is_legible]
    first = {note.number: note for note in reversed(legible)}
    return Turn(
        seconds=seconds,
        frames=len(first),
        illegible=len(notes) - len(legible),
        repeated=len(legible) - len(first),
        missing=max(first) - min(first) + 1 - len(first) if first else 0,
        latencies=tuple(note.latency for note in first.values()),
        cpu=cpu,
        memory=memory,
    )


def contest(
    chains: Sequence[Contestant], *, rounds: int, seconds: float, title: str
) -> dict[str, list[Turn]]:
    """Let each chain have its turn, `rounds` times; return the turns of each by its name."""
    turns: dict[str, list[Turn]] = {chain.name: [] for chain in chains}
    order = [chain for _ in range(rounds) for chain in chains]
    for chain in tqdm(order, desc=title, unit="turn", disable=not sys.stderr.isatty()):
        turns[chain.name].append(chain.run(seconds))
    return turns


def figures(turns: Sequence[Turn]) -> dict[str, float | dict[str, float]]:
    """Return what a table and the results say of one contestant.

    Latencies are of all turns together, the rest are medians of the turns.
    """
    latencies = np.array([latency for turn in turns for latency in turn.latencies]) * 1000
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)) if len(latencies) else (0.0, 0.0, 0.0)
    names = turns[0].cpu
    return {
        "fps": round(median(turn.fps for turn in turns), 2),
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
        "illegible": sum(turn.illegible for turn in turns),
        "repeated": sum(turn.repeated for turn in turns),
        "missing": sum(turn.missing for turn in turns),
        "cpu_us_per_frame": {
            name: round(median(turn.cpu_per_frame()[name] for turn in turns)) for name in names
        },
        "memory_mb": {
            name: round(median(turn.memory[name] for turn in turns) / 1e6, 1) for name in names
        },
    }


def wait_for(notes: Path, programs: Sequence[Program]) -> None:
    """Wait until a picture was noted; raise RuntimeError when none comes, or a program ends."""
    give_up = time.monotonic() + _START_SECONDS
    while not (notes.exists() and notes.stat().st_size):
        _check(programs)
        if time.monotonic() > give_up:
            words = "\n".join(f"{program.name}: {program.said()}" for program in programs)
            raise RuntimeError(f"no picture came through within {_START_SECONDS:.0f} s\n{words}")
        time.sleep(0.05)


def _check(programs: Sequence[Program]) -> None:
    for program in programs:
        if not program.is_running:
            raise RuntimeError(f"{program.name} ended:\n{program.said()}")
