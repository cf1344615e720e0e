"""Control: what a receiver wishes of a camera's sender, so that no frame is sent in vain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

#: What may be wished: frames a second, pixels of a side, JPEG quality.
FPS = (0.01, 1000.0)
SIDE = (2, 16384)
QUALITY = (1, 100)

_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,5})[xX]([0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """At most so many frames a second, so large and so good; None where nothing is wished."""

    fps: float | None = None
    #: Width and height of the box that pictures are to fit in.
    size: tuple[int, int] | None = None
    quality: int | None = None

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a header such as `fps=5; size=640x360; quality=70`; None when it wishes nothing.

        What is unknown or illegible in it is left out.
        """
        given = {}
        for part in (text or "").split(";"):
            name, _, value = part.partition("=")
            given[name.strip().lower()] = value.strip()
        fps = _read_fps(given.get("fps", ""))
        size = read_size(given.get("size", ""))
        quality = _read_quality(given.get("quality", ""))
        if fps is None and size is None and quality is None:
            return None
        return cls(fps=fps, size=size, quality=quality)

    def facts(self) -> dict[str, Any]:
        """Return what is wished, JSON-able."""
        facts: dict[str, Any] = {}
        if self.fps is not None:
            facts["fps"] = self.fps
        if self.size is not None:
            facts["size"] = f"{self.size[0]}x{self.size[1]}"
        if self.quality is not None:
            facts["quality"] = self.quality
        return facts

    def __str__(self) -> str:
        """Return it as the header carries it."""
        facts = self.facts()
        if self.fps is not None:
            facts["fps"] = f"{self.fps:.3f}".rstrip("0").rstrip(".")
        return "; ".join(f"{name}={value}" for name, value in facts.items())


def read_size(text: str) -> tuple[int, int] | None:
    """Return WIDTHxHEIGHT as two numbers, None when it is none or out of SIDE's bounds."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    width, height = int(found[1]), int(found[2])
    return (width, height) if all(SIDE[0] <= side <= SIDE[1] for side in (width, height)) else None


def _read_fps(text: str) -> float | None:
    fps = float(text) if _NUMBER.fullmatch(text) else 0.0
    return fps if FPS[0] <= fps <= FPS[1] else None


def _read_quality(text: str) -> int | None:
    quality = int(text) if re.fullmatch("[0-9]{1,3}", text, re.ASCII) else 0
    return quality if QUALITY[0] <= quality <= QUALITY[1] else None
