"""Trial: a promise, and the run that keeps or breaks it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: What a run saw, by name; with the unit in the name.
Figures = dict[str, float | int | str]


class Broken(Exception):
    """A promise was not kept; the message says by how much."""


class Unable(Exception):
    """This machine lacks what the trial needs; the message says how to install it."""


@dataclass(frozen=True)
class Run:
    """One run of a trial."""

    seed: int
    #: Empty, and the run's own.
    folder: Path
    #: Seconds instead of minutes.
    quick: bool = False
    #: What defends the promise is taken away, so that the run must break it.
    disarmed: bool = False
    #: Told how far a long run is.
    say: Callable[[str], None] = print
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "random", random.Random(self.seed))

    def check(self, is_kept: bool, sentence: str) -> None:
        """Raise Broken with `sentence` unless that part of the promise is kept."""
        if not is_kept:
            raise Broken(sentence)


@dataclass(frozen=True)
class Trial:
    """`run` returns the figures it saw, and raises Broken or Unable."""

    name: str
    #: One sentence, with its figures.
    promise: str
    run: Callable[[Run], Figures]
    #: What a disarmed run takes away, in words; None where nothing can be.
    disarm: str | None = None
    #: Whether the disarmed run is short enough for every run of the tests.
    disarm_quick: bool = False

    def __str__(self) -> str:
        return self.name
