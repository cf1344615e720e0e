"""Progress: how far a module's mutants are, on one line of a terminal that is written over."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

from tests.mutation.mutant import Mutant


class Progress:
    """Writes only where somebody watches; `with` leaves the line empty."""

    def __init__(
        self,
        module: str,
        *,
        stream: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._module = module
        self._stream = stream
        self._clock = clock
        self._total = self._done = self._survived = 0
        self._begun = clock()

    def expect(self, total: int) -> None:
        """So many are tried from now on."""
        self._total = total
        self._begun = self._clock()
        self._write(self.line())

    def tried(self, mutant: Mutant) -> None:
        self._done += 1
        self._survived += mutant.fate == "survived"
        self._write(self.line())

    def line(self) -> str:
        """Return what there is to say now."""
        if not self._total:
            return f"{self._module}: its tests, without a change"
        line = f"{self._module}: {self._done} of {self._total}, {self._survived} survived"
        if not self._done:
            return line
        seconds = (self._clock() - self._begun) / self._done * (self._total - self._done)
        return f"{line}, {_time(seconds)} left"

    def __enter__(self) -> Self:
        self._write(self.line())
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{text}")  # back to its begin, and empty
            self._stream.flush()


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
