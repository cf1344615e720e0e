"""Routes of the Open Inference Protocol: a model is a hook, its input a picture.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, and of Triton's
extensions binary tensor data, system shared memory, model repository, configuration and statistics.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import flask

from receiver import door, shortcut
from receiver.desk import Desk
from receiver.kserve import inference_reply, memory_routes, model_routes
from receiver.kserve.inference import Inference
from receiver.kserve.regions import Regions
from receiver.kserve.statistics import Statistics
from receiver.models import Models
from shared.seats import Seats

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Names with slashes, and versions, are the routes'.
_PATH = re.compile(r"/v2/models/([A-Za-z0-9_.-]+)/infer", re.ASCII)


def blueprint(
    desk: Desk,
    models: Models,
    *,
    seats: Seats,
    max_bytes: int,
    max_pixels: int,
    alive: model_routes.Check,
    ready: model_routes.Check,
    regions: Regions | None = None,
) -> flask.Blueprint:
    """Return the routes below /v2; errors are {"error": "one sentence"}."""
    bp = flask.Blueprint("kserve", __name__)
    regions = regions or Regions()
    statistics = Statistics()
    inference = Inference(
        *(desk, models, regions, statistics),
        seats=seats,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
    )
    model_routes.add_to(bp, models, statistics, alive=alive, ready=ready)
    memory_routes.add_to(bp, regions)

    @bp.post("/v2/models/<path:name>/infer")
    @bp.post("/v2/models/<path:name>/versions/<version>/infer")
    def infer(name: str, version: str = inference_reply.VERSION) -> flask.Response:
        """Ask a model about a picture."""
        shortcut.raise_again()
        body, headers = inference.answer(flask.request.environ, name, version)
        return flask.Response(body, headers=headers)

    shortcut.put(bp, partial(_answer, inference), route="/v2/models/<path:name>/infer")
    # A model's name may hold a slash, so all of these would be one, for GET.
    closed = [f"/v2/models/<path:name>{version}/infer" for version in ("", "/versions/<version>")]
    door.tell_errors(bp, "/v2", lambda _, sentence: {"error": sentence}, closed=closed)
    return bp


def _answer(inference: Inference, environ: WSGIEnvironment) -> shortcut.Answer | None:
    """Answer a request to a model by its plain name; None for any other request."""
    path: str = environ["PATH_INFO"]
    if not path.startswith("/v2/") or environ["REQUEST_METHOD"] != "POST":
        return None
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    body, headers = inference.answer(environ, found[1])
    return "200 OK", [*headers, ("Content-Length", str(len(body)))], body
