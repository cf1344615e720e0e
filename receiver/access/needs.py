"""Needs: what a request needs a token for, by the route that it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from shared.access.grant import Role

#: `open` for everybody; `any` for whoever has a token, whatever its role.
Level = Role | Literal["open", "any"]

#: Endpoints of the application, as `blueprint.function`; `blueprint.` for all of a blueprint's.
#: What is in none of these is for `admin`.
LEVELS: dict[Level, frozenset[str]] = {
    "open": frozenset(
        {
            "access.get_access",
            "contract.get_contract",
            "dashboard.get_dashboard",
            "dashboard.static",
            "health.get_health",
            "health.get_readiness",
        }
    ),
    "ingest": frozenset(
        {
            "deepstack.",
            "ingest.post_classic",
            "ingest.post_frame",
            "kserve.",
            "stream.post_stream",
        }
    ),
    "view": frozenset(
        {
            "control.get_control",
            "events.get_events",
            "health.get_hooks",
            "health.get_metrics",
            "hooks.get_log",
            "live.get_frame",
            "live.get_stream",
            "live.get_video_feed",
            "recordings.get_log",
            "recordings.get_recordings",
            "recordings.get_video",
            "recordings.play",
            "status.get_camera",
            "status.get_cameras",
            "status.get_result",
            "status.get_history",
            "status.get_webhooks",
            "wall.get_live",
        }
    ),
    "admin": frozenset(
        {
            "control.delete_control",
            "control.put_control",
            "hooks.reload",
            "recordings.delete_recording",
            "recordings.post_record",
        }
    ),
}
#: They name their camera in the query, and else bring frames of this one.
_NAMED_IN_QUERY = {"ingest.post_classic": "default"}
#: Routes by method and path that are remembered, and how long such a path may be.
_REMEMBERED, _LONGEST = 1024, 200


@dataclass(frozen=True, slots=True)
class Need:
    """What a token must be good for."""

    level: Level
    #: Whose frames the request brings; None where its path does not say.
    camera: str | None = None


class Needs:
    """Finds the route as the application will, from the same table. Any thread."""

    def __init__(self, routes: Map) -> None:
        self._routes = routes.bind("")
        self._remembered = lru_cache(_REMEMBERED)(self._find)

    def of(self, method: str, path: str, query: str) -> Need:
        """Return the need; the arguments are the environ's REQUEST_METHOD, PATH_INFO and query."""
        find = self._remembered if len(path) <= _LONGEST else self._find
        endpoint, need = find(method, path)
        if endpoint in _NAMED_IN_QUERY:
            default = _NAMED_IN_QUERY[endpoint]
            return Need(need.level, _first(query, "camera") or default)
        # /?action=stream and its like are pictures, whatever else the page's address is.
        if query and not path.strip("/") and _first(query, "action") is not None:
            return Need("view")
        return need

    def _find(self, method: str, path: str) -> tuple[str, Need]:
        # What WSGI says of a path is its bytes, each as a character (PEP 3333).
        text = path.encode("latin-1", "replace").decode("utf-8", "replace")
        try:
            endpoint, values = self._routes.match(text, method=method)
        except HTTPException:  # there is none, not by this method, or elsewhere
            return "", Need("any")
        return endpoint, Need(level_of(endpoint), values.get("camera"))


def level_of(endpoint: str) -> Level:
    """Return the least that a request to the endpoint needs."""
    blueprint = endpoint.partition(".")[0] + "."
    for level, endpoints in LEVELS.items():
        if endpoint in endpoints or blueprint in endpoints:
            return level
    return "admin"


def unclassified(endpoints: Iterable[str]) -> list[str]:
    """Return those that stand nowhere in LEVELS."""
    return [
        endpoint
        for endpoint in endpoints
        if not any(
            endpoint in known or endpoint.partition(".")[0] + "." in known
            for known in LEVELS.values()
        )
    ]


def _first(query: str, name: str) -> str | None:
    # As Flask does.
    pairs = parse_qsl(query, keep_blank_values=True)
    return next((value for key, value in pairs if key == name), None)
