"""WallQuery: which cameras a wall shows, and how, as its address says behind the `?`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from shared.errors import FrameError
from shared.frame import check_camera
from shared.view.query import Query, QueryError, read_query
from shared.view.renditions import View

#: A wish for each of so many pictures.
_MAX_SHOWN = 512
_OWN = ("view", "width", "height", "quality", "fps")


@dataclass(frozen=True, slots=True)
class WallQuery:
    """What a viewer of many cameras wishes."""

    #: How cameras are shown that are not named.
    default: Query
    #: By camera, once for each view; None for every camera, those to come among them.
    shown: Mapping[str, Mapping[View, Query]] | None = None
    #: Whether every camera's results come too.
    results: bool = False

    def of(self, camera: str) -> list[Query]:
        """Return how the camera is shown: not at all, or in one view or two."""
        if self.shown is None:
            return [self.default]
        return list(self.shown.get(camera, {}).values())


def read_wall_query(args: MultiDict[str, str]) -> WallQuery:
    """Read show and results, and the wishes that hold for all; raise QueryError."""
    results = args.get("results", "0")
    if results not in ("0", "1"):
        raise QueryError(f"results: expected 0 or 1, got {results[:80]!r}")
    wishes = {name: args[name] for name in _OWN if name in args}
    default = read_query(wishes)
    if "show" not in args:
        return WallQuery(default, results=results == "1")
    shows = [show for show in args.getlist("show") if show]
    if len(shows) > _MAX_SHOWN:
        raise QueryError(f"show: expected at most {_MAX_SHOWN} of them, got {len(shows)}")
    shown: dict[str, dict[View, Query]] = {}
    for show in shows:
        name, query = _read_show(show, wishes)
        shown.setdefault(name, {})[query.view] = query
    return WallQuery(default, shown, results == "1")


def _read_show(text: str, wishes: Mapping[str, str]) -> tuple[str, Query]:
    """Read `cam1` or `cam1;view=raw;width=1280`; `wishes` hold where it says nothing else."""
    name, *own = text.split(";")
    pairs = [wish.partition("=") for wish in own]
    for key, _, _ in pairs:
        if key not in _OWN:
            raise QueryError(
                f"show: expected CAMERA;NAME=VALUE with the names {', '.join(_OWN)}, "
                f"got {text[:80]!r}"
            )
    try:
        query = read_query({**wishes, **{key: value for key, _, value in pairs}})
        return check_camera(name), query
    except (FrameError, QueryError) as exc:
        raise QueryError(f"show: {exc}") from None
