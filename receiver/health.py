"""Health: for supervisors, of a receiver and of a worker; hooks as JSON, metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

#: Returns one sentence for each thing that is wrong, none when all is well.
Check = Callable[[], Sequence[str]]


def blueprint(
    *,
    registry: CollectorRegistry,
    hooks: Callable[[], Sequence[Any]],
    alive: Check,
    ready: Check,
    degraded: Check = tuple,
) -> flask.Blueprint:
    """Return the routes; `hooks` gives the facts of every hook's worker.

    `degraded` tells what does not work without which the rest goes on.
    """
    bp = flask.Blueprint("health", __name__)

    @bp.get("/hooks")
    def get_hooks() -> flask.Response:
        """Every hook worker: which hook, its state, restarts and last error."""
        return flask.jsonify(hooks=list(hooks()))

    @bp.get("/healthz")
    def get_health() -> flask.Response:
        """200 while the process works as it should; what is wrong otherwise."""
        return _check("alive", alive())

    @bp.get("/readyz")
    def get_readiness() -> flask.Response:
        """200 while frames are taken and the hooks can run; what is missing otherwise."""
        return _check("ready", [*alive(), *ready()], degraded())

    @bp.get("/metrics")
    def get_metrics() -> flask.Response:
        """Everything countable, in Prometheus' text form."""
        return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return bp


def _check(word: str, wrong: Sequence[str], degraded: Sequence[str] = ()) -> flask.Response:
    status = f"not {word}" if wrong else "degraded" if degraded else word
    response = flask.jsonify(status=status, problems=[*wrong, *degraded])
    response.status_code = 503 if wrong else 200
    return response
