"""Fate: what became of a frame, as far as its caller waited to know."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

from receiver.result import Result
from shared import wire
from shared.frame import EncodedFrame

State = Literal["accepted", "processed", "superseded", "duplicate", "failed"]
#: Which HTTP status says what became of a frame.
_STATUS: dict[State, int] = {
    "accepted": 202,
    "processed": 200,
    "superseded": 200,
    "duplicate": 200,
    "failed": 500,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """One frame's state, and its result where there is one.

    `waited`: seconds that were granted to the caller; None where nobody waited.
    """

    frame: EncodedFrame
    state: State
    result: Result | None = None
    waited: float | None = None

    @property
    def status(self) -> int:
        return _STATUS[self.state]

    def facts(self) -> dict[str, Any]:
        """Return what the caller is told, JSON-able."""
        told: dict[str, Any] = {
            "camera": self.frame.camera,
            "epoch": self.frame.epoch,
            "seq": self.frame.seq,
            "state": self.state,
        }
        if self.result is not None:
            told["result"] = self.result.value
            if self.result.error is not None:
                told["error"] = self.result.error
            if self.result.traceback is not None:
                told["traceback"] = self.result.traceback
            told["timings"] = self.result.timings()
        return told

    def reply(self, received: float) -> tuple[bytes, list[tuple[str, str]]]:
        """Return the body and the headers that answer a single post, as sent now.

        `received` is Unix seconds.
        """
        headers = [("Content-Type", "application/json")]
        if self.waited is not None:
            headers.append(("Preference-Applied", f"wait={self.waited:g}"))
        timing = self.server_timing()
        if timing is not None:
            headers.append(("Server-Timing", timing))
        headers.append((wire.RECEIVED_AT, wire.format_time(received)))
        headers.append((wire.REPLIED_AT, wire.format_time(time.time())))
        return json.dumps(self.facts()).encode(), headers

    def server_timing(self) -> str | None:
        """Return the Server-Timing header's value (W3C), in milliseconds."""
        if self.result is None:
            return None
        return ", ".join(f"{name};dur={ms:.3f}" for name, ms in self.result.timings().items())
