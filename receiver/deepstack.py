"""DeepStack: object detection for video recorders, in the form of DeepStack and CodeProject.AI.

https://codeproject.github.io/codeproject.ai/api/api_reference.html
"""

from __future__ import annotations

import time
from typing import Any

import flask

from receiver import door
from receiver.body import read_picture
from receiver.desk import Desk
from receiver.models import Models
from receiver.predictions import predictions
from receiver.verdict import result_of, seated
from shared.errors import FrameError
from shared.seats import Seats
from shared.wire import Envelope

#: The camera of those who name none.
CAMERA = "deepstack"
#: Seconds until a caller is told that no result came.
_WAIT = 30.0
_MIN_CONFIDENCE = 0.4


def blueprint(desk: Desk, models: Models, *, seats: Seats, max_bytes: int) -> flask.Blueprint:
    """Return the routes below /v1; errors are {"success": false, "error": "one sentence"}."""
    bp = flask.Blueprint("deepstack", __name__)

    @bp.post("/v1/vision/detection")
    @bp.post("/v1/vision/custom/<path:name>")
    def detect(name: str | None = None) -> flask.Response:
        """Run the hook on the picture, however many newer ones come, and tell what it found."""
        started, received = time.monotonic(), time.time()
        with desk.counting_refusals(CAMERA):
            body = read_picture(flask.request, max_bytes=max_bytes)
            fields = _fields(flask.request)
            least = _read_confidence(fields.get("min_confidence"))
        camera = fields.get("camera", CAMERA)
        model = models.of_camera(camera)
        if name is not None:
            model = models.get(name)
            camera = models.camera_of(model, fields.get("camera"), default=CAMERA)
        if model is not None:
            models.check(model)
        with seated(seats), desk.counting_refusals(camera):
            fate = desk.take(
                *(camera, body, Envelope()),
                media_type=flask.request.headers.get("Content-Type", ""),
                received=received,
                every=True,
                wait=_WAIT,
                seated=True,
            )
        result = result_of(fate)
        found = predictions(result, least)
        took = round((time.monotonic() - started) * 1000)
        response = door.reply(
            {
                "success": True,
                "message": _message(found),
                "predictions": found,
                "count": len(found),
                "command": "detect",
                "moduleId": "framepost",
                "moduleName": "Framepost",
                "duration": took,
                "inferenceMs": round(result.hook * 1000),
                "processMs": round((result.decode + result.hook) * 1000),
                "analysisRoundTripMs": took,
            }
        )
        response.headers["Server-Timing"] = fate.server_timing() or ""
        return response

    @bp.route("/v1/vision/custom/list", methods=["GET", "POST"])
    def get_list() -> flask.Response:
        """The hooks, each of which a recorder may ask by name."""
        return door.reply({"success": True, "models": [model.name for model in models.all()]})

    @bp.get("/v1/server/status/ping")
    def get_ping() -> flask.Response:
        """Whether there is anybody."""
        return door.reply({"success": True, "message": "Framepost"})

    door.tell_errors(
        bp,
        "/v1",
        lambda status, sentence: {"success": False, "error": sentence, "code": status},
        # Clients know 400 as the word for a bad picture, and no other.
        statuses={415: 400, 422: 400},
    )
    return bp


def _fields(request: flask.Request) -> dict[str, str]:
    """Return what the caller says besides the picture, in the form or in the query."""
    # A bare picture is not to be searched for form fields.
    form = request.form if request.mimetype == "multipart/form-data" else {}
    return {**request.args, **form}


def _read_confidence(text: str | None) -> float:
    try:
        least = float(text or _MIN_CONFIDENCE)
    except ValueError:
        least = -1
    if not 0 <= least <= 1:
        raise FrameError(
            f"min_confidence: expected a number from 0 to 1, got {str(text)[:80]!r}",
            status=400,
            reason="field",
        )
    return least


def _message(found: list[dict[str, Any]]) -> str:
    labels = ", ".join(dict.fromkeys(each["label"] for each in found))
    return f"Found {labels}" if labels else "No objects found"
