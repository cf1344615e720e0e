"""Report: the scores, for people and for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.mutation.copy import ROOT
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.mutant import Mutant

#: Of all mutants, in percent; those that are judged to be equivalent are not taken out before.
LEAST = 80.0
RESULTS = ROOT / "benchmarks" / "results" / "mutants.json"
PAGE = ROOT / "docs" / "mutation.md"
#: Between these lines of the page stands what is written here.
_BEGIN, _END = "<!-- scores: make mutants writes them -->", "<!-- end of the scores -->"

HEAD = f"{'module':36} {'mutants':>7} {'killed':>6} {'timeouts':>8} {'survived':>8} {'score':>7}"


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a module's mutants. killed + timeouts + survived = mutants."""

    mutants: int
    killed: int
    timeouts: int
    survived: int
    percent: float
    #: The survivors that `equivalents` has a reason for, with it, and the others.
    equivalent: list[dict[str, str]]
    left: list[dict[str, str]]
    tests: Sequence[str]

    def row(self, module: str) -> str:
        return (
            f"{module:36} {self.mutants:7} {self.killed:6} {self.timeouts:8} {self.survived:8} "
            f"{self.percent:5.1f} %"
        )


def score(module: str, tests: Sequence[str], mutants: Sequence[Mutant]) -> Score:
    reasons = EQUIVALENT.get(module, {})
    survivors = [mutant for mutant in mutants if mutant.fate == "survived"]
    timeouts = sum(mutant.fate == "timeout" for mutant in mutants)
    shown = [
        {"place": mutant.place, "before": mutant.before, "after": mutant.after}
        for mutant in survivors
    ]
    return Score(
        mutants=len(mutants),
        killed=len(mutants) - timeouts - len(survivors),
        timeouts=timeouts,
        survived=len(survivors),
        percent=100 * (1 - len(survivors) / len(mutants)) if mutants else 100.0,
        equivalent=[
            each | {"reason": reasons[each["after"]]} for each in shown if each["after"] in reasons
        ],
        left=[each for each in shown if each["after"] not in reasons],
        tests=tests,
    )


def stale(module: str, mutants: Sequence[Mutant]) -> list[str]:
    """Return the equivalents of the module that are none of its survivors."""
    survived = {mutant.after for mutant in mutants if mutant.fate == "survived"}
    return [after for after in EQUIVALENT.get(module, {}) if after not in survived]


def keep(module: str, found: Score) -> dict[str, Any]:
    """Write the module's score to the results, beside those of others; return them all."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"modules": {}}
    kept["versions"] = {"python": platform.python_version(), "mutmut": version("mutmut")}
    kept["modules"][module] = asdict(found)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def write_page(scores: dict[str, dict[str, Any]], page: Path = PAGE) -> None:
    """Put the table and the equivalent mutants into the page, in the order of `scores`."""
    head, _, rest = page.read_text().partition(_BEGIN)
    tail = rest.partition(_END)[2]
    lines = [
        "| module | mutants | killed | timeouts | survived | of them equivalent | score |",
        "|---|---|---|---|---|---|---|",
    ]
    for module, each in scores.items():
        lines.append(
            f"| `{module}` | {each['mutants']} | {each['killed']} | {each['timeouts']} "
            f"| {each['survived']} | {len(each['equivalent'])} | {each['percent']:.1f} % |"
        )
    lines += ["", "## Equivalent, judged by hand", ""]
    for module, each in scores.items():
        lines += [
            f"- `{module}`: `` {one['before']} `` → `` {one['after']} ``: {one['reason']}"
            for one in each["equivalent"]
        ]
    page.write_text(f"{head}{_BEGIN}\n\n" + "\n".join(lines) + f"\n\n{_END}{tail}")
