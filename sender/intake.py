"""Intake: what is known of the reading of one camera, whichever thread reads it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from shared.rate import Rate

State = Literal[
    "connecting", "live", "stalled", "retrying", "auth_failed", "not_found", "ended", "failed"
]

#: A live camera without a frame for this many seconds is stalled.
STALLED_AFTER = 3.0


@dataclass(slots=True)
class Intake:
    """Written by the reader's thread, read by any.

    It outlives a reader that hung, so its counts go on in the fresh one.
    """

    clock: Callable[[], float] = time.monotonic
    #: Seconds that this camera may take from one frame to the next, by its own pace or by ours.
    interval: float = 0.0
    #: As the reader sees it; `state` adds what only a clock can tell.
    phase: State = "connecting"
    #: The last trouble in one sentence, redacted; stays after it is over.
    error: str | None = None
    epoch: str | None = None
    seq: int | None = None
    width: int | None = None
    height: int | None = None
    #: Frames that the source will give, where it knows.
    length: int | None = None
    #: Frames left out for --fps or the receiver's wish, frames the decoder found damaged.
    thinned: int = 0
    corrupt: int = 0
    #: Successful opens after the first.
    reconnects: int = 0
    #: Reader threads that hung and were given up.
    abandoned: int = 0
    #: Seconds from the beginning of the last successful open to its first picture.
    first_frame: float | None = None
    #: Monotonic seconds.
    last_frame: float | None = None
    rate: Rate = field(init=False)

    def __post_init__(self) -> None:
        self.rate = Rate(clock=self.clock)

    def state(self) -> State:
        if self.phase == "live" and self.idle() > STALLED_AFTER + self.interval:
            return "stalled"
        return self.phase

    def idle(self) -> float:
        """Return the seconds since the last sound frame; 0 before the first."""
        return 0.0 if self.last_frame is None else self.clock() - self.last_frame
