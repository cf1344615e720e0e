"""Target: a function that takes any bytes, and what to start from.

It raises only where it found something: an exception that a contract does not name, or a promise
that is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: What was found once, by target; a file each.
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """`run` may be called with any bytes; `seeds` are ones that lead deep into it."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]

    def start(self, name: str) -> list[bytes]:
        """Return the seeds, and what was found once of the target `name`."""
        found = sorted((CORPUS / name).glob("*"))
        return [*self.seeds, *(path.read_bytes() for path in found)]


def check(holds: bool, promise: str) -> None:
    """Raise AssertionError unless the promise is kept."""
    if not holds:
        raise AssertionError(promise)
