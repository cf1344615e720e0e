"""Mutant: one small change of the product, and what the tests made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `timeout`: the tests did not end, which a person would notice as well as a failure.
Fate = Literal["killed", "timeout", "survived"]
#: So begins a line in which the process that tries mutants tells of them, and none of pytest's.
TOLD = "mutation: "


@dataclass(frozen=True, slots=True)
class Mutant:
    """`before` and `after` are the lines that differ, without indentation, joined by spaces."""

    place: str
    before: str
    after: str
    fate: Fate

    def __str__(self) -> str:
        return f"{self.place}\n    - {self.before}\n    + {self.after}"
