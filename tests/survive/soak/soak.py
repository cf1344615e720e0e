"""soak: let one fault come after the other, and look at what each process holds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.survive.census import Census
from tests.survive.soak.faults import faults
from tests.survive.soak.filling import crowd, fill
from tests.survive.soak.plan import CUT, Plan, schedule
from tests.survive.soak.programs import Programs
from tests.survive.soak.report import Report
from tests.survive.soak.verdict import PLANTED, judge

#: Frames of all cameras must reach their hooks again so many seconds after a fault.
RECOVERY = 30.0


def soak(
    plan: Plan,
    *,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
    is_disarmed: bool = False,
) -> Report:
    """Run all, and judge it."""
    broken: list[str] = []
    leak = PLANTED * 1e6 / 60 * plan.scale
    census = Census()
    slowest = 0.0
    with Programs(folder, leak=leak, is_disarmed=is_disarmed) as line:
        if line.recovers(60) is None:
            raise AssertionError(f"no frames at the start:\n{line.sender.output}")
        known = faults(line)
        began = looked = time.monotonic()

        def watch(until: float) -> None:
            nonlocal looked
            while time.monotonic() < until:
                time.sleep(max(0.0, min(looked + plan.sample, until) - time.monotonic()))
                if time.monotonic() >= looked + plan.sample:
                    looked = time.monotonic()
                    census.look(line.roles())

        def befall(kind: str, *, seconds: float) -> None:
            nonlocal slowest
            fault = known[kind]
            fault.begin()
            watch(time.monotonic() + max(seconds, fault.least))
            fault.end()
            took = line.recovers(RECOVERY)
            minutes = (time.monotonic() - began) / 60
            outcome = "not over" if took is None else f"over after {took:.1f} s"
            say(f"{minutes:5.1f} min {kind}: {outcome}")
            if took is None:
                broken.append(f"{kind}: no frames of some camera {RECOVERY:.0f} s after it")
            slowest = max(slowest, RECOVERY if took is None else took)

        # What each costs the first times is no growth, nor is what the receiver keeps of the newest
        # results. It is killed once, for it begins anew then.
        for kind in known:
            befall(kind, seconds=plan.outage)
        for _ in range(plan.rounds - 1):
            for kind in known:
                if kind != "receiver killed":
                    befall(kind, seconds=0)
        fill(line.receiver.url)
        crowd(line.receiver.url)
        census = Census()
        kinds = schedule([*known], plan, random.Random(seed))
        started = time.monotonic()
        for number, kind in enumerate(kinds, 1):
            watch(started + number * plan.every)
            befall(kind, seconds=plan.outage)
            befall(CUT, seconds=0)
        watch(started + plan.seconds)
        counts = line.counts()
        outputs = list(line.outputs)
    for camera in counts.values():
        accounted = sum(camera[name] for name in ("processed", "superseded", "failed", "waiting"))
        if camera["received"] != accounted:
            broken.append(f"{camera['camera']}: the books do not close: {camera}")
    broken += [
        f"a traceback:\n{one.output}" for one in outputs if "Traceback (most recent" in one.output
    ]
    growth = census.growth(warm_up=plan.warm_up, window=plan.window)
    broken += judge(growth, plan)
    return Report(
        growth,
        {kind: kinds.count(kind) for kind in kinds} | {CUT: len(kinds)},
        round(slowest, 2),
        sum(camera["processed"] for camera in counts.values()),
        broken,
        census.memory(plan.window),
    )
