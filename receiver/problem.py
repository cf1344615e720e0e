"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json

import flask


def problem(status: int, title: str, detail: str, **headers: str) -> flask.Response:
    """Return an error whose `detail` names the thing, what was expected and what came."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    response = flask.Response(
        json.dumps(content) + "\n", status, mimetype="application/problem+json"
    )
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response
