"""The hook that benchmarks measure with: the frame's number, read from its pixels."""

from __future__ import annotations

from receiver.frame import Frame
from shared import pattern


def process(frame: Frame) -> int | None:
    """Return the number that was drawn in the picture; None where it is illegible."""
    mark = pattern.read(frame.image)
    return None if mark is None else mark.number
