"""Routes of the Open Inference Protocol: a model is a hook, its input a picture.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, and of Triton's
extensions binary tensor data, system shared memory, model repository, configuration and statistics.
"""

from __future__ import annotations

import time

import flask

from receiver import door
from receiver.desk import MAX_WAIT, Desk
from receiver.kserve import inference_reply, inference_request, memory_routes, model_routes
from receiver.kserve.body import read as read_body
from receiver.kserve.inference_request import InferenceRequest
from receiver.kserve.picture import Pictures
from receiver.kserve.regions import Piece, Regions
from receiver.kserve.statistics import Statistics
from receiver.models import Model, Models
from receiver.seats import Seats
from receiver.verdict import result_of, seated
from shared import wire

#: The camera of those who name none.
CAMERA = "kserve"
#: Seconds for a caller who names no timeout.
_WAIT = 30.0
_LENGTH = "Inference-Header-Content-Length"


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
    pictures = Pictures(desk, regions, max_bytes=max_bytes, max_pixels=max_pixels)
    limit = max_bytes * 4 // 3 + 64 * 1024
    model_routes.add_to(bp, models, statistics, alive=alive, ready=ready)
    memory_routes.add_to(bp, regions)

    @bp.post("/v2/models/<path:name>/infer")
    @bp.post("/v2/models/<path:name>/versions/<version>/infer")
    def infer(name: str, version: str = inference_reply.VERSION) -> flask.Response:
        """Run the hook on the picture, however many newer ones come meanwhile."""
        started = time.monotonic()
        model = model_routes.find(models, name, version)
        try:
            response = answer(model, started)
        except Exception:
            statistics.failed(model, time.monotonic() - started)
            raise
        return response

    def answer(model: Model, started: float) -> flask.Response:
        received = time.time()
        models.check(model)
        envelope = wire.from_headers(flask.request.headers)
        with desk.counting_refusals(model.camera or CAMERA):
            body = read_body(flask.request, limit=limit, envelope=envelope)
            request = inference_request.read(body, flask.request.headers.get(_LENGTH))
            check_memory(request)
        camera = models.camera_of(model, request.camera, default=CAMERA)
        with seated(seats), desk.counting_refusals(camera):
            fate = pictures.submit(
                request.input,
                camera,
                envelope,
                layout=request.layout,
                received=received,
                wait=min(request.wait or _WAIT, MAX_WAIT),
            )
        result = result_of(fate)
        reply, head = inference_reply.write(request, model, result, regions)
        statistics.succeeded(model, result, time.monotonic() - started)
        response = flask.Response(reply, mimetype="application/json")
        if head is not None:
            response.headers[_LENGTH] = str(head)
            response.mimetype = "application/octet-stream"
        response.headers["Server-Timing"] = fate.server_timing() or ""
        return response

    def check_memory(request: InferenceRequest) -> None:
        """Raise FrameError for shared memory that the caller may not use, or that is none."""
        outputs = [output.memory for output in request.outputs if output.memory is not None]
        if outputs or isinstance(request.input.data, Piece):
            memory_routes.check_neighbour(flask.request)
        for piece in outputs:
            regions.check_writable(piece)

    # A model's name may hold a slash, so all of these would be one, for GET.
    closed = [f"/v2/models/<path:name>{version}/infer" for version in ("", "/versions/<version>")]
    door.tell_errors(bp, "/v2", lambda _, sentence: {"error": sentence}, closed=closed)
    return bp
