"""Result: what a hook made of one frame, and what that took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.frame import EncodedFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the hook made of one frame. Times are seconds."""

    frame: EncodedFrame
    state: Literal["processed", "failed"]
    #: JSON-able; what the hook returned, None when it failed.
    value: Any = None
    #: One sentence when it failed.
    error: str | None = None
    #: The frame as the hook left it: what it drew, else the frame itself.
    picture: EncodedFrame
    #: Waited in the hub, decoded, ran the hook.
    queue: float
    decode: float
    hook: float
    #: Monotonic seconds.
    finished: float = field(default_factory=time.monotonic, compare=False)

    @property
    def total(self) -> float:
        """The time from receipt to result."""
        return self.finished - self.frame.arrived
