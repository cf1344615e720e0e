"""Report: what a soak saw, for people and as JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measuring.summary import environment
from tests.survive.census import Growth
from tests.survive.slope import Point
from tests.survive.soak.plan import Plan
from tests.survive.soak.verdict import BAR

#: Of an hour.
PROMISE = (
    f"an hour of faults leaves no process with more than {BAR:g} MB an hour, 95 % sure, with more"
    " threads or with more open files, and a hook that leaks 100 kB a minute is found"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a soak saw. `broken` are sentences; none where all promises were kept."""

    growth: Mapping[str, Growth]
    faults: Mapping[str, int]
    slowest_recovery: float
    processed: int
    broken: Sequence[str]
    #: Of each role's longest life: seconds since its birth, MB at least.
    memory: Mapping[str, Sequence[Point]]


def show(report: Report) -> None:
    """Print the table of growth, and what was broken."""
    print(f"{'process':20} {'MB':>7} {'MB/h':>7} {'at most':>8} {'threads/h':>9} {'files/h':>8}")
    for role, grown in report.growth.items():
        print(
            f"{role:20} {grown.held:7.1f} {grown.memory.per_hour:7.2f} "
            f"{grown.memory.upper:8.2f} {grown.threads.per_hour:9.2f} {grown.files.per_hour:8.2f}"
        )
    print(f"faults: {report.faults}; slowest recovery {report.slowest_recovery:.1f} s")
    print("\n".join(report.broken) or "all promises kept")


def record(path: Path, report: Report, plan: Plan, seed: int) -> None:
    """Write the report as JSON, with what it takes to see it again."""
    content = {
        "promise": PROMISE,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "state": "broken" if report.broken else "kept",
        "command": f"python -m tests.survive.soak --minutes {plan.seconds / 60:g} --seed {seed}",
        "environment": environment(),
        "load_average": os.getloadavg(),
        "plan": asdict(plan),
        **asdict(report),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
