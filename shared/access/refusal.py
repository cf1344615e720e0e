"""Refusal: what a request is told that the gate turns away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flask

from shared.access.refusals import Reason

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_TITLES = {
    401: "Token required",
    403: "Not permitted",
    421: "Not a name of this server",
    429: "Too many requests",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One sentence that names the thing, what was expected and what came."""

    status: int
    reason: Reason
    detail: str
    #: Seconds after which to come again, if that is any help.
    wait: int = 0

    def response(self, environ: WSGIEnvironment) -> flask.Response:
        """Return it as a problem (RFC 9457), with what the callers of /v1 and /v2 look for."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        door = environ["PATH_INFO"][:3]
        if door == "/v1":
            content |= {"success": False, "error": self.detail, "code": self.status}
        elif door == "/v2":
            content |= {"error": self.detail}
        response = flask.Response(
            json.dumps(content) + "\n", self.status, mimetype="application/problem+json"
        )
        response.headers["Cache-Control"] = "no-store"
        if self.wait:
            response.headers["Retry-After"] = str(self.wait)
        if self.status == 401:
            # The first one first: players look at no other.
            if asks_a_person(environ):
                response.headers.add("WWW-Authenticate", 'Basic realm="Framepost", charset="UTF-8"')
            response.headers.add("WWW-Authenticate", 'Bearer realm="Framepost"')
        return response


def asks_a_person(environ: WSGIEnvironment) -> bool:
    """Tell whether to offer Basic, at which a browser asks for a password by itself.

    Wanted where somebody opens an address, and harmless with players and other programs; but what a
    page fetches must not open a box over it.
    """
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    if mode is not None:
        return bool(mode == "navigate")
    # Browsers say no more to an address that is neither https nor their own machine.
    is_browser = environ.get("HTTP_USER_AGENT", "").startswith("Mozilla/")
    return not is_browser or "text/html" in environ.get("HTTP_ACCEPT", "")
