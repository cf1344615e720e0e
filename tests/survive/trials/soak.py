"""Soak: what minutes of faults leave behind. The hour of it is `python -m tests.survive.soak`.

Minutes cannot tell a leak of 1 MB an hour: what the C library now keeps of freed pictures and now
returns is more. So they look for one that is 3 MB over the run, half of what is planted.
"""

from __future__ import annotations

from tests.survive.soak.plan import Plan
from tests.survive.soak.soak import soak
from tests.survive.trial import Figures, Run, Trial


def minutes(run: Run) -> Figures:
    """Let four cameras send while one fault comes after the other; judge the growth."""
    plan = Plan.of(1.5 if run.quick else 5)
    report = soak(plan, seed=run.seed, folder=run.folder, say=run.say, is_disarmed=run.disarmed)
    run.check(not report.broken, "; ".join(report.broken))
    figures: Figures = {"slowest_recovery_s": report.slowest_recovery, "frames": report.processed}
    for role, grown in report.growth.items():
        figures[f"{role}_mb_per_hour_at_most"] = round(grown.memory.upper, 2)
    return figures


TRIALS = [
    Trial(
        "soak",
        "with a fault every few seconds all cameras are back within 30 s of each, and in five"
        " minutes no process grows as fast as one that leaks 3 MB over the run; a hook that leaks 6"
        " is found",
        minutes,
        disarm="a hook that is judged leaks",
    )
]
