"""Status: the cameras, their history and the webhooks as JSON."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import flask

from receiver.books import Elsewhere
from receiver.camera import Camera
from receiver.history import PERIOD, History
from receiver.hub import Hub
from shared.frame import EncodedFrame
from shared.problem import problem


def blueprint(
    hub: Hub,
    *,
    webhooks: Callable[[], Sequence[Any]] = list,
    history: History | None = None,
) -> flask.Blueprint:
    """Return the routes; `webhooks` gives dataclasses, one for each URL."""
    past = history or History()
    bp = flask.Blueprint("status", __name__)

    @bp.get("/cameras")
    def get_cameras() -> flask.Response:
        """Every camera's state, counters and newest result."""
        return flask.jsonify(cameras=describe_all(hub))

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

    @bp.get("/history")
    def get_history() -> flask.Response:
        """What each camera, or ?camera=, did in each second of the last five minutes."""
        name = flask.request.args.get("camera")
        if name is not None and hub.get(name) is None:
            return _no_camera(name)
        return flask.Response(_write_history(past, name), mimetype="application/json")

    @bp.get("/webhooks")
    def get_webhooks() -> flask.Response:
        """Every webhook: its state, what it took, what it did not get, what waits."""
        return flask.jsonify(webhooks=[asdict(webhook) for webhook in webhooks()])

    return bp


def _write_history(history: History, name: str | None) -> Iterator[str]:
    """Yield the JSON camera by camera: all of many at once would keep frames waiting meanwhile."""
    yield f'{{"period": {PERIOD}, "now": {time.time()}, "cameras": {{'
    for number, (camera, facts) in enumerate(history.facts(name)):
        yield f"{', ' if number else ''}{json.dumps(camera)}: {json.dumps(facts)}"
    yield "}}\n"


def describe_all(hub: Hub) -> list[dict[str, Any]]:
    """Return what `GET /cameras` says."""
    return [describe(hub, camera) for camera in hub.cameras()]


def overview(
    hub: Hub, hooks: Callable[[], Sequence[Mapping[str, Any]]], history: History
) -> dict[str, Any]:
    """Return what walls are told each second."""
    return {
        "cameras": describe_all(hub),
        "hooks": [*hooks()],
        "history": history.newest(),
    }


def describe(hub: Hub, camera: Camera) -> dict[str, Any]:
    """Return what `GET /cameras/{camera}` says: of all receivers together, where there are more.

    Clock, missing frames, refused bodies and latencies are this receiver's.
    """
    frame: EncodedFrame | Elsewhere | None = camera.latest.peek()
    books, fps, viewers = camera.books(), camera.arrivals.per_second(), camera.viewers
    elsewhere = camera.elsewhere
    if elsewhere is not None:
        books, fps = books + elsewhere.books, fps + elsewhere.fps
        viewers += elsewhere.viewers
        if camera.is_newer_elsewhere():
            frame = elsewhere
    age = camera.age()
    result = camera.results.peek()
    return {
        "camera": camera.name,
        "state": camera.state(),
        "epoch": frame and frame.epoch,
        "seq": frame and frame.seq,
        "fps": round(fps, 2),
        "width": frame and frame.width,
        "height": frame and frame.height,
        "age_seconds": round(age, 3) if math.isfinite(age) else None,
        "clock": camera.sender_clock.facts(),
        **asdict(books),
        "missing": camera.order.missing,
        "refused": sum(n for (name, _), n in hub.refused().items() if name == camera.name),
        "viewers": viewers,
        "latency": camera.latencies.percentiles(),
        "result": result and result.value,
        "result_state": result and result.state,
        "result_error": result and result.error,
        "result_seq": result and result.frame.seq,
    }


def _no_camera(name: str) -> flask.Response:
    return problem(404, "No such camera", f"camera: no frame of {name[:64]!r} has come yet")
