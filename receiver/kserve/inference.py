"""Inference: a model is asked about the picture in one request, and its answer is written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from receiver.base64_text import longest
from receiver.desk import MAX_WAIT, Desk
from receiver.environ import Headers
from receiver.kserve import inference_reply, inference_request, memory_routes
from receiver.kserve.body import read as read_body
from receiver.kserve.inference_request import InferenceRequest
from receiver.kserve.model_routes import find
from receiver.kserve.picture import Pictures
from receiver.kserve.regions import Piece, Regions
from receiver.kserve.statistics import Statistics
from receiver.models import Model, Models
from receiver.verdict import result_of, seated
from shared import wire
from shared.seats import Seats

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: The camera of those who name none.
CAMERA = "kserve"
#: Seconds for a caller who names no timeout.
_WAIT = 30.0
_LENGTH = "Inference-Header-Content-Length"


class Inference:
    """Answers inference requests. Any thread.

    They come as WSGI has them: clients that send pictures in shared memory ask some thousand times
    a second, and Flask's share of such a request is half of its cost.
    """

    def __init__(
        self,
        desk: Desk,
        models: Models,
        regions: Regions,
        statistics: Statistics,
        *,
        seats: Seats,
        max_bytes: int,
        max_pixels: int,
    ) -> None:
        self._desk = desk
        self._models = models
        self._regions = regions
        self._statistics = statistics
        self._seats = seats
        self._pictures = Pictures(desk, regions, max_bytes=max_bytes, max_pixels=max_pixels)
        self._limit = longest(max_bytes)

    def answer(
        self, environ: WSGIEnvironment, name: str, version: str = inference_reply.VERSION
    ) -> tuple[bytes, list[tuple[str, str]]]:
        """Run the hook on the picture, however many newer ones come meanwhile.

        Return the body and the headers of the reply (200); raise FrameError.
        """
        started = time.monotonic()
        model = find(self._models, name, version)
        try:
            return self._answer(environ, model, started)
        except Exception:
            self._statistics.failed(model, time.monotonic() - started)
            raise

    def _answer(
        self, environ: WSGIEnvironment, model: Model, started: float
    ) -> tuple[bytes, list[tuple[str, str]]]:
        received = time.time()
        self._models.check(model)
        headers = Headers(environ)
        envelope = wire.from_headers(headers)
        with self._desk.counting_refusals(model.camera or CAMERA):
            body = read_body(environ, limit=self._limit, envelope=envelope)
            request = inference_request.read(body, headers.get(_LENGTH))
            self._check_memory(request, environ)
        camera = self._models.camera_of(model, request.camera, default=CAMERA)
        with seated(self._seats), self._desk.counting_refusals(camera):
            fate = self._pictures.submit(
                request.input,
                camera,
                envelope,
                layout=request.layout,
                received=received,
                wait=min(request.wait or _WAIT, MAX_WAIT),
            )
        result = result_of(fate)
        reply, head = inference_reply.write(request, model, result, self._regions)
        self._statistics.succeeded(model, result, time.monotonic() - started)
        told = [
            ("Content-Type", "application/json" if head is None else "application/octet-stream"),
            ("Server-Timing", fate.server_timing() or ""),
        ]
        if head is not None:
            told.append((_LENGTH, str(head)))
        return reply, told

    def _check_memory(self, request: InferenceRequest, environ: WSGIEnvironment) -> None:
        """Raise FrameError for shared memory that the caller may not use, or that is none."""
        outputs = [output.memory for output in request.outputs if output.memory is not None]
        if outputs or isinstance(request.input.data, Piece):
            memory_routes.check_neighbour(environ)
        for piece in outputs:
            self._regions.check_writable(piece)
