"""The hooks that the vectors expect behind the cameras of these names (see README.md)."""

from __future__ import annotations

import os
import time
from typing import Any

from receiver.frame import Frame
from shared import pattern


def echo(frame: Frame) -> dict[str, Any]:
    """Say which number is drawn in the picture, and its size."""
    height, width = frame.image.shape[:2]
    mark = pattern.read(frame.image)
    return {"number": mark and mark.number, "width": width, "height": height}


def nothing(frame: Frame) -> None:
    """Return nothing."""


def fail(frame: Frame) -> None:
    raise ValueError("told to fail")


def die(frame: Frame) -> None:
    os._exit(7)


def slow(frame: Frame) -> dict[str, Any]:
    """Take three seconds."""
    time.sleep(3)
    return echo(frame)
