"""Hooks that do what hooks should not, for trials of what becomes of the others."""

from __future__ import annotations

import os
import time

from receiver.frame import Frame


def filling(frame: Frame) -> dict[str, float]:
    """Return as much as tests.witness does, at no cost."""
    return dict.fromkeys(("frames", "illegible", "disorder", "number"), frame.captured_at)


class Leaky:
    """Keep 100 kB more each minute, or LEAK_PER_MINUTE bytes."""

    def __init__(self) -> None:
        self._per_second = float(os.environ.get("LEAK_PER_MINUTE", "100000")) / 60
        self._kept: list[bytes] = []
        self._size = 0
        self._since = time.monotonic()

    def process(self, frame: Frame) -> None:
        due = int((time.monotonic() - self._since) * self._per_second) - self._size
        if due > 0:
            # Written to, or the system would not give the pages.
            self._kept.append(b"x" * due)
            self._size += due
