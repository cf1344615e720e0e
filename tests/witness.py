"""A hook that reads the test pattern's mark: which frames came, in which order, how old."""

from __future__ import annotations

import time
from typing import Any

from receiver.frame import Frame
from shared import pattern


class Witness:
    """Say what was read from the pixels; count illegible frames and numbers that do not rise."""

    stateful = True

    def __init__(self) -> None:
        self._cameras: dict[str, dict[str, Any]] = {}

    def process(self, frame: Frame) -> dict[str, Any]:
        seen = self._cameras.setdefault(
            frame.camera, {"frames": 0, "illegible": 0, "disorder": 0, "number": None}
        )
        mark = pattern.read(frame.image)
        seen["frames"] += 1
        if mark is None:
            seen["illegible"] += 1
        else:
            if seen["number"] is not None and mark.number <= seen["number"]:
                seen["disorder"] += 1
            seen["number"] = mark.number
            seen["age_ms"] = round((time.time() - mark.time) * 1000, 1)
        return dict(seen)
