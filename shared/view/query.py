"""Query: what a viewer asks for behind the `?` of a live view's address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import FramepostError
from shared.jpeg import MAX_SIDE
from shared.view.renditions import View, Wish

_VIEWS: dict[str, View] = {"raw": "raw", "annotated": "annotated"}
_FPS = (0.1, 240.0)


class QueryError(FramepostError):
    """Raised for a value that we do not take; answered with 400 and this sentence."""


@dataclass(frozen=True, slots=True)
class Query:
    """How a viewer wishes its pictures."""

    view: View = "raw"
    wish: Wish = field(default_factory=Wish)
    #: At most this many pictures a second; None for every one.
    fps: float | None = None


def read_query(args: Mapping[str, str]) -> Query:
    """Read view, width, height, quality and fps; raise QueryError. Other names are ignored."""
    view = _VIEWS.get(args.get("view", "raw"))
    if view is None:
        raise QueryError(f"view: expected raw or annotated, got {args['view'][:80]!r}")
    wish = Wish(
        width=read_whole(args, "width", MAX_SIDE),
        height=read_whole(args, "height", MAX_SIDE),
        quality=read_whole(args, "quality", 100),
    )
    least, most = _FPS
    fps = read_number(args, "fps", most, least=least, most=most) if "fps" in args else None
    return Query(view, wish, fps)


def read_whole(args: Mapping[str, str], name: str, most: int) -> int | None:
    """Return the whole number from 1 to `most` that `name` gives, if any; raise QueryError."""
    text = args.get(name)
    if text is None:
        return None
    # isascii: int() takes other scripts' digits too.
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most:
        return int(text)
    raise QueryError(f"{name}: expected a whole number from 1 to {most}, got {text[:80]!r}")


def read_number(
    args: Mapping[str, str], name: str, default: float, *, least: float, most: float
) -> float:
    """Return the number that `name` gives, `default` without one; raise QueryError."""
    text = args.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if least <= number <= most:
        return number
    raise QueryError(f"{name}: expected a number from {least:g} to {most:g}, got {text[:80]!r}")
