"""Routes of the Open Inference Protocol: a model is a hook, its input a picture.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, and of Triton's
extensions binary tensor data, system shared memory, model repository, configuration and statistics.
"""

from __future__ import annotations

import flask
from flask.blueprints import BlueprintSetupState

from receiver import door
from receiver.desk import Desk
from receiver.kserve import inference_reply, memory_routes, model_routes
from receiver.kserve.inference import Inference
from receiver.kserve.regions import Regions
from receiver.kserve.shortcut import InferenceShortcut
from receiver.kserve.statistics import Statistics
from receiver.models import Models
from receiver.seats import Seats
from receiver.shortcut import RAISED


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
        environ = flask.request.environ
        if RAISED in environ:
            # In no variable and no longer there: it would hold itself, and an open file, for long.
            raise environ.pop(RAISED)
        body, headers = inference.answer(environ, name, version)
        return flask.Response(body, headers=headers)

    @bp.record_once
    def put_shortcut(state: BlueprintSetupState) -> None:
        app = state.app
        assert isinstance(app, flask.Flask)
        app.wsgi_app = InferenceShortcut(app.wsgi_app, inference)  # type: ignore[method-assign]

    # A model's name may hold a slash, so all of these would be one, for GET.
    closed = [f"/v2/models/<path:name>{version}/infer" for version in ("", "/versions/<version>")]
    door.tell_errors(bp, "/v2", lambda _, sentence: {"error": sentence}, closed=closed)
    return bp
