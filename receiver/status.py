"""Status: the cameras and hooks as JSON, health for supervisors, metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import flask
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from receiver.camera import Camera
from receiver.hub import Hub
from receiver.problem import problem

#: Returns one sentence for each thing that is wrong, none when all is well.
Check = Callable[[], Sequence[str]]


def blueprint(
    hub: Hub,
    *,
    registry: CollectorRegistry,
    hooks: Callable[[], Sequence[Any]],
    alive: Check,
    ready: Check,
    webhooks: Callable[[], Sequence[Any]] = list,
) -> flask.Blueprint:
    """Return the routes; `hooks` gives the runner's dataclasses, one for each worker.

    `webhooks` likewise, one for each URL.
    """
    bp = flask.Blueprint("status", __name__)

    @bp.get("/cameras")
    def get_cameras() -> flask.Response:
        """Every camera's state, counters and newest result."""
        return flask.jsonify(cameras=[describe(hub, camera) for camera in hub.cameras()])

    @bp.get("/cameras/<name>")
    def get_camera(name: str) -> flask.Response:
        """One camera's state, counters and newest result."""
        camera = hub.get(name)
        return _no_camera(name) if camera is None else flask.jsonify(describe(hub, camera))

    @bp.get("/cameras/<name>/result")
    def get_result(name: str) -> flask.Response:
        """The newest result; 204 before the first."""
        camera = hub.get(name)
        if camera is None:
            return _no_camera(name)
        result = camera.results.peek()
        if result is None:
            return flask.Response(status=204)
        return flask.jsonify(result.facts())

    @bp.get("/hooks")
    def get_hooks() -> flask.Response:
        """Every hook worker: which hook, its state, restarts and last error."""
        return flask.jsonify(hooks=[asdict(worker) for worker in hooks()])

    @bp.get("/webhooks")
    def get_webhooks() -> flask.Response:
        """Every webhook: its state, what it took, what it did not get, what waits."""
        return flask.jsonify(webhooks=[asdict(webhook) for webhook in webhooks()])

    @bp.get("/healthz")
    def get_health() -> flask.Response:
        """200 while the process works as it should; what is wrong otherwise."""
        return _check("alive", alive())

    @bp.get("/readyz")
    def get_readiness() -> flask.Response:
        """200 while frames are taken and the hooks can run; what is missing otherwise."""
        return _check("ready", [*alive(), *ready()])

    @bp.get("/metrics")
    def get_metrics() -> flask.Response:
        """Everything countable, in Prometheus' text form."""
        return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return bp


def describe(hub: Hub, camera: Camera) -> dict[str, Any]:
    """Return what `GET /cameras/{camera}` says."""
    frame = camera.latest.peek()
    result = camera.results.peek()
    return {
        "camera": camera.name,
        "state": camera.state(),
        "epoch": frame and frame.epoch,
        "seq": frame and frame.seq,
        "fps": round(camera.arrivals.per_second(), 2),
        "width": frame and frame.width,
        "height": frame and frame.height,
        "age_seconds": round(camera.age(), 3),
        "clock": camera.sender_clock.facts(),
        **asdict(camera.books()),
        "refused": sum(n for (name, _), n in hub.refused().items() if name == camera.name),
        "viewers": camera.viewers,
        "latency": camera.latencies.percentiles(),
        "result": result and result.value,
        "result_state": result and result.state,
        "result_error": result and result.error,
        "result_seq": result and result.frame.seq,
    }


def _check(word: str, wrong: Sequence[str]) -> flask.Response:
    response = flask.jsonify(status=word if not wrong else f"not {word}", problems=list(wrong))
    response.status_code = 503 if wrong else 200
    return response


def _no_camera(name: str) -> flask.Response:
    return problem(404, "No such camera", f"camera: no frame of {name[:64]!r} has come yet")
