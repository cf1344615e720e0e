"""Hooks that benchmarks measure with: the frame's number, read from its pixels."""

from __future__ import annotations

from benchmarks.measuring.sink import Sink
from receiver.frame import Frame
from shared import pattern


def process(frame: Frame) -> int | None:
    """Return the number that was drawn in the picture; None where it is illegible."""
    mark = pattern.read(frame.image)
    return None if mark is None else mark.number


class Noting:
    """As `process`, and a note of each frame goes to the file that the environment names."""

    def setup(self) -> None:
        self._sink = Sink()

    def process(self, frame: Frame) -> int | None:
        return self._sink.take(frame.image)

    def teardown(self) -> None:
        self._sink.close()
