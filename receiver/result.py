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
    #: Which items of `value` were arrays in the hook: dtype and shape by name.
    arrays: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    #: One sentence when it failed.
    error: str | None = None
    #: Where the hook raised, as Python prints it; None where it did not.
    traceback: str | None = None
    #: The frame as the hook left it: what it drew, else the frame itself.
    picture: EncodedFrame
    #: Waited in the hub, decoded, ran the hook.
    queue: float
    decode: float
    hook: float
    #: Monotonic seconds.
    finished: float = field(default_factory=time.monotonic, compare=False)
    #: Whether this receiver took the frame; on a bus all hear of it.
    is_ours: bool = True

    @classmethod
    def failed(cls, frame: EncodedFrame, error: str) -> Result:
        """Return the result of a frame that no hook had, with one sentence why."""
        return cls(
            frame=frame,
            state="failed",
            error=error,
            picture=frame,
            queue=time.monotonic() - frame.arrived,
            decode=0.0,
            hook=0.0,
        )

    def facts(self) -> dict[str, Any]:
        """Return it as the routes and feeds tell it, JSON-able; `timings` are milliseconds."""
        told: dict[str, Any] = {
            "camera": self.frame.camera,
            "epoch": self.frame.epoch,
            "seq": self.frame.seq,
            "captured_at": self.frame.captured_at,
            "state": self.state,
            "result": self.value,
            "error": self.error,
            "timings": self.timings(),
        }
        if self.traceback is not None:
            told["traceback"] = self.traceback
        if self.frame.redelivered:
            told["redelivered"] = True
        return told

    def timings(self) -> dict[str, float]:
        """Return what the time went into, in milliseconds."""
        return {
            "queue": round(self.queue * 1000, 3),
            "decode": round(self.decode * 1000, 3),
            "hook": round(self.hook * 1000, 3),
            "total": round(self.total * 1000, 3),
        }

    @property
    def total(self) -> float:
        """The time from receipt to result."""
        return self.finished - self.frame.arrived


def drawn(frame: EncodedFrame, jpeg: bytes, width: int, height: int) -> EncodedFrame:
    """Return `frame` as a hook drew into it."""
    facts = frame.facts() | {"width": width, "height": height, "media_type": "image/jpeg"}
    return EncodedFrame(**facts, data=jpeg, arrived=frame.arrived)
