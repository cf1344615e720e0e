"""Freshness: how old a camera's newest picture is, in a word."""

from __future__ import annotations

from typing import Literal

#: live: frames come · frozen: they come, and are all the same · stale, gone: they do not.
State = Literal["live", "frozen", "stale", "gone"]
#: Without a frame for this many seconds a camera is stale, then gone.
STALE_AFTER = 3.0
GONE_AFTER = 60.0


def state_at(age: float) -> Literal["live", "stale", "gone"]:
    """Return the state of a camera whose newest frame came `age` seconds ago."""
    if age < STALE_AFTER:
        return "live"
    return "stale" if age < GONE_AFTER else "gone"
