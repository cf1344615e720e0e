"""Wish: what a person would have a camera's sender send, read from a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.control import FPS, QUALITY, SIDE, Control, read_size
from shared.errors import FrameError


def read_wish(body: bytes) -> Control:
    """Read {"fps": 5, "size": "640x360", "quality": 70}; raise FrameError (400)."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise _bad("body", 'JSON such as {"fps": 5, "size": "640x360", "quality": 70}', body)
    return check_wish(given)


def check_wish(given: Mapping[str, Any]) -> Control:
    """Return the wish that names and values make; null wishes nothing. Raise FrameError (400)."""
    fps, size, quality = given.get("fps"), given.get("size"), given.get("quality")
    unknown = sorted(set(given) - {"fps", "size", "quality"})
    if unknown:
        raise _bad("control", "fps, size and quality", unknown[0])
    if fps is not None and not _within(fps, FPS):
        raise _bad("fps", f"frames a second from {FPS[0]} to {FPS[1]:g}", fps)
    box = read_size(size) if isinstance(size, str) else None
    if size is not None and box is None:
        sides = f"each from {SIDE[0]} to {SIDE[1]}"
        raise _bad("size", f'"WIDTHxHEIGHT", {sides}, as in "640x360"', size)
    if quality is not None and not (_within(quality, QUALITY) and quality == int(quality)):
        raise _bad("quality", f"a whole number from {QUALITY[0]} to {QUALITY[1]}", quality)
    if not given:
        raise _bad("control", "fps, size or quality; DELETE takes the wish back", given)
    return Control(
        fps=None if fps is None else round(float(fps), 3),
        size=box,
        quality=None if quality is None else int(quality),
    )


def _within(value: object, bounds: tuple[float, float]) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return bounds[0] <= value <= bounds[1]


def _bad(what: str, expected: str, got: object) -> FrameError:
    shown = repr(got) if isinstance(got, bytes) else json.dumps(got)
    return FrameError(
        f"{what}: expected {expected}; got {shown[:80]}", status=400, reason="control"
    )
