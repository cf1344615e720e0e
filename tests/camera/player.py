"""A player for tests: FFmpeg, through PyAV, with as little probing as will do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np

from shared import pattern


@contextmanager
def playing(url: str, *, transport: str = "tcp") -> Iterator[Iterator[av.VideoFrame]]:
    """Play `url`; give its decoded frames."""
    options = {"rtsp_transport": transport, "analyzeduration": "200000"}
    with av.open(url, options=options, timeout=5) as container:
        yield container.decode(video=0)


def mark(frame: av.VideoFrame) -> pattern.Mark:
    """Return what is drawn in the frame, which must be legible."""
    found = pattern.read(frame.to_ndarray(format="gray8").view(np.uint8))
    assert found is not None
    return found


def numbers(frames: Iterator[av.VideoFrame], count: int) -> list[int]:
    return [mark(next(frames)).number for _ in range(count)]


def freshest_age(frames: Iterator[av.VideoFrame], count: int) -> float:
    """Return the smallest age of `count` frames, in seconds."""
    drawn_at = (mark(next(frames)).time for _ in range(count))
    return min(time.time() - drawn for drawn in drawn_at)
