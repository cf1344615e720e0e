"""Expectation: one ratio, and what it should at least or at most be on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Expectation:
    """`measured` is a ratio, for those depend little on the machine."""

    name: str
    measured: float
    sign: Literal["<=", ">="]
    bound: float

    @property
    def is_met(self) -> bool:
        if self.sign == "<=":
            return self.measured <= self.bound
        return self.measured >= self.bound


def table(expectations: Sequence[Expectation]) -> str:
    """Return a line for each, and one more for each that is not met."""
    lines = [
        f"{one.name:58}{one.measured:8.2f}   expected {one.sign} {one.bound:g}"
        for one in expectations
    ]
    lines += [f"SLOWER THAN EXPECTED: {one.name}" for one in expectations if not one.is_met]
    return "\n".join(lines)
