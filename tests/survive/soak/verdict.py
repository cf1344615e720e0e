"""Verdict: what of a soak's growth is too much."""

from __future__ import annotations

from collections.abc import Mapping

from tests.survive.census import Growth
from tests.survive.soak.plan import Plan

#: What a person who looks for a leak would call one, MB per hour, and what the control leaks.
BAR = 1.0
PLANTED = 6.0
#: In minutes it takes this much to tell a leak from freed memory that the C library now keeps and
#: now returns: a sender's goes up and down by megabytes with the pictures of its decoders.
SHORT_BAR = 3.0
_SHORT = 1800.0


def bar(plan: Plan) -> float:
    """Return how much a process may grow by in a run of that length, MB an hour."""
    return plan.scale * (SHORT_BAR if plan.seconds < _SHORT else BAR)


def judge(growth: Mapping[str, Growth], plan: Plan) -> list[str]:
    """Return a sentence for each role that grew, and for a control that was not found."""
    broken = []
    allowed, scale = bar(plan), plan.scale
    for role, grown in growth.items():
        if role == "control":
            continue
        if grown.memory.upper > allowed:
            broken.append(
                f"{role}: memory grows by {grown.memory.per_hour:.2f} MB an hour, at most"
                f" {grown.memory.upper:.2f}; expected at most {allowed:g}"
            )
        for name, slope in (("threads", grown.threads), ("open files", grown.files)):
            if slope.per_hour > scale:
                broken.append(f"{role}: {slope.per_hour:.1f} more {name} each hour, expected none")
    for role in ("sender", "receiver", "control"):
        if role not in growth:
            broken.append(f"{role}: did not live long enough to be judged")
    control = growth.get("control")
    if control is not None and control.memory.per_hour <= allowed:
        broken.append(
            f"control: leaks {PLANTED * scale:g} MB an hour, and was not found"
            f" ({control.memory.per_hour:.2f})"
        )
    return broken
