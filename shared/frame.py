"""EncodedFrame: one picture of one camera as compressed bytes, and the facts it travels with."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from shared.errors import FrameError

CAMERA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def check_camera(name: str) -> str:
    """Return `name`, or raise FrameError (400) when it cannot name a camera."""
    if not CAMERA_NAME.fullmatch(name):
        raise FrameError(
            "camera: expected 1 to 64 letters, digits, '_', '.' or '-', "
            f"the first a letter or digit, got {name[:80]!r}",
            status=400,
            reason="camera",
        )
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFrame:
    """A picture that nobody has decoded yet.

    `captured_at` is Unix seconds by the sender's clock, because it crosses machines; `arrived` is
    monotonic seconds of this process (when the sender captured the frame, or the receiver had it)
    and never leaves it.
    """

    camera: str
    #: Opaque; new at each start of the camera's stream. `seq` counts within it.
    epoch: str
    seq: int
    captured_at: float
    data: bytes
    width: int
    height: int
    media_type: str = "image/jpeg"
    #: Seconds to add to `captured_at` to get this machine's time, as far as they are known.
    clock_offset: float = 0.0
    arrived: float = field(default_factory=time.monotonic, compare=False)
    #: The place in a trace that it came with, see `shared.traceparent`.
    trace: str | None = None
    #: It may have come before, to this receiver or another, and been processed there.
    redelivered: bool = False
    #: When the sender wrote the request, by its clock; None where nobody said, and only in the
    #: receiver that took the frame.
    sent_at: float | None = field(default=None, compare=False)

    @property
    def jpeg(self) -> bytes | None:
        """The bytes where they are a JPEG, None where they are anything else."""
        return self.data if self.media_type == "image/jpeg" else None

    def age(self) -> float:
        """Return the seconds since capture; never negative, and as right as `clock_offset`."""
        return max(0.0, time.time() - self.captured_at - self.clock_offset)

    def facts(self) -> dict[str, Any]:
        """Return what goes with the bytes to another process, fit for JSON."""
        facts: dict[str, Any] = {
            "camera": self.camera,
            "epoch": self.epoch,
            "seq": self.seq,
            "captured_at": self.captured_at,
            "width": self.width,
            "height": self.height,
            "media_type": self.media_type,
            "clock_offset": self.clock_offset,
        }
        if self.trace is not None:
            facts["trace"] = self.trace
        if self.redelivered:
            facts["redelivered"] = True
        return facts
