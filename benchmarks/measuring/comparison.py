"""Comparison: one figure of ours beside the others' and the limit, as a row of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` by contestant: ours begin with Framepost, what nobody can beat begins with limit.

    The classic way, whose name holds that word, has a column of its own.
    """

    what: str
    unit: str
    values: Mapping[str, float]
    less_is_better: bool

    @property
    def ours(self) -> str | None:
        """The name of our best; None where we were not measured."""
        return self._best(name for name in self.values if name.startswith("Framepost"))

    @property
    def rival(self) -> str | None:
        others = ("Framepost", "limit")
        return self._best(
            name
            for name in self.values
            if not name.startswith(others) and "classic" not in name.lower()
        )

    @property
    def classic(self) -> str | None:
        return self._best(name for name in self.values if "classic" in name.lower())

    @property
    def limit(self) -> str | None:
        return self._best(name for name in self.values if name.startswith("limit"))

    def ahead(self, name: str) -> float:
        """Return how many times better ours is."""
        assert self.ours is not None
        ratio = self.values[self.ours] / max(self.values[name], 1e-9)
        return 1 / max(ratio, 1e-9) if self.less_is_better else ratio

    def _best(self, names: Iterable[str]) -> str | None:
        pick = min if self.less_is_better else max
        return pick(names, key=lambda name: self.values[name], default=None)


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Return the table."""
    lines = [
        "| | Framepost | best of the others | classic | limit |",
        "|---|---|---|---|---|",
    ]
    for one in comparisons:
        if one.ours is not None:
            limit = "" if one.limit is None else _figure(one.values[one.limit], one.unit)
            cells = [
                one.what,
                f"**{_figure(one.values[one.ours], one.unit)}**",
                _beside(one, one.rival, named=True),
                _beside(one, one.classic, named=False),
                limit,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _beside(comparison: Comparison, name: str | None, *, named: bool) -> str:
    if name is None:
        return ""
    figure = _figure(comparison.values[name], comparison.unit)
    times = f"{comparison.ahead(name):.1f} ×"
    return f"{figure}, {times} ({name})" if named else f"{figure}, {times}"


def _figure(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}"
