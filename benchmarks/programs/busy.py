"""Busy: a hook's work in pure Python, so that only more processes make more of it; and a note of
each run. `python -m benchmarks.programs.busy` does nothing else until it is killed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from receiver.frame import Frame

#: The variables that name the number of turns of the loop, and the file of notes.
TURNS = "BENCHMARK_TURNS"
NOTES = "BENCHMARK_NOTES"
#: And how many workers a server of somebody else's has.
WORKERS = "BENCHMARK_WORKERS"
_TRIAL = 200_000


def turns_of(seconds: float) -> int:
    """Return how often the loop must turn to take so much CPU on this machine."""
    times = []
    for _ in range(9):
        started = time.thread_time()
        loop(_TRIAL)
        times.append(time.thread_time() - started)
    return round(_TRIAL * seconds / min(times))


def loop(turns: int) -> int:
    """Turn so often; nothing in it lets go of the interpreter."""
    total = 0
    for number in range(turns):
        total += number & 1
    return total


def runs(notes: Path) -> int:
    """Return how many runs were noted until now."""
    return notes.stat().st_size if notes.exists() else 0


class Busy:
    """A hook; as it is, or within a server of somebody else's."""

    def setup(self) -> None:
        self._turns = int(os.environ[TURNS])
        self._notes = os.open(os.environ[NOTES], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def process(self, frame: Frame) -> None:
        self.run()

    def run(self) -> None:
        """Loop, and note it."""
        loop(self._turns)
        os.write(self._notes, b".")

    def teardown(self) -> None:
        os.close(self._notes)


if __name__ == "__main__":
    busy = Busy()
    busy.setup()
    while True:
        busy.run()
