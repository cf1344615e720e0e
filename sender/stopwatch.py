"""Stopwatch: what tells of each frame's cost, for the poster."""

from __future__ import annotations

from typing import Protocol


class Stopwatch(Protocol):
    """Who is told what each frame cost, in seconds, such as the metrics; must not block."""

    def waited(self, camera: str, seconds: float) -> None:
        """It was captured so long before its turn came."""

    def encoded(self, camera: str, seconds: float) -> None: ...
    def posted(self, camera: str, seconds: float, size: int) -> None:
        """It was answered 2xx; `size` is its JPEG's, in bytes."""
