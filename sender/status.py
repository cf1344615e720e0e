"""Status: the sender's health, metrics and state, for supervisors and people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

#: Returns one sentence for each thing that is wrong, none when all is well.
Check = Callable[[], Sequence[str]]


def blueprint(
    *, registry: CollectorRegistry, cameras: Callable[[], Sequence[Any]], alive: Check
) -> flask.Blueprint:
    """Return the routes; `cameras` returns what /status says of each camera, in JSON-able form."""
    bp = flask.Blueprint("status", __name__)

    @bp.get("/healthz")
    def get_health() -> flask.Response:
        """Whether a restart would mend something: 200 if not."""
        problems = alive()
        word = "not alive" if problems else "alive"
        return _json({"status": word, "problems": list(problems)}, 503 if problems else 200)

    @bp.get("/metrics")
    def get_metrics() -> flask.Response:
        """All numbers, in the text form that Prometheus reads."""
        return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @bp.get("/status")
    def get_status() -> flask.Response:
        """Each camera's state and books."""
        return _json({"cameras": list(cameras())})

    return bp


def _json(content: Any, status: int = 200) -> flask.Response:
    return flask.Response(json.dumps(content), status, mimetype="application/json")
