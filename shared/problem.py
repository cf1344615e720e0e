"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json

import flask

from shared.errors import FrameError

#: Over soon: a supervisor starts the receiver anew, the hook takes a frame from its queue,
#: an address may bring another.
_SOON = {"draining", "queue", "rate", "unsettled"}


def problem(status: int, title: str, detail: str, **headers: str) -> flask.Response:
    """Return an error whose `detail` names the thing, what was expected and what came."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    response = flask.Response(
        json.dumps(content) + "\n", status, mimetype="application/problem+json"
    )
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def retry_after(error: FrameError) -> int | None:
    """Return after how many seconds a client that was turned away for now may come again."""
    if error.status not in (429, 503):
        return None
    return 1 if error.reason in _SOON else 5
