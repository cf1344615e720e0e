"""Ingest: the routes that take frames. A frame is checked and handed to the hub, never decoded."""

from __future__ import annotations

import json
import time

import flask
from werkzeug.exceptions import HTTPException

from receiver.body import read_picture
from receiver.formats import inspect
from receiver.hub import Hub
from receiver.order import Outcome
from shared import wire
from shared.errors import FrameError
from shared.frame import EncodedFrame, check_camera

#: Which HTTP status says what became of a frame.
_STATUS: dict[Outcome, int] = {"accepted": 202, "duplicate": 200, "superseded": 200}


def blueprint(hub: Hub, *, max_bytes: int, max_pixels: int) -> flask.Blueprint:
    """Return the ingest routes. A refusal raises FrameError, which the app turns into a problem."""
    bp = flask.Blueprint("ingest", __name__)

    def take(camera: str) -> tuple[EncodedFrame, Outcome]:
        try:
            check_camera(camera)
            envelope = wire.from_headers(flask.request.headers)
            body = read_picture(flask.request, max_bytes=max_bytes)
            _check_digest(envelope, body)
            picture = inspect(body, max_pixels=max_pixels)
            epoch, seq = envelope.epoch or "", envelope.seq
            if seq is None:
                ours, seq = hub.number(camera)
                epoch = epoch or ours
            frame = EncodedFrame(
                camera=camera,
                epoch=epoch,
                seq=seq,
                captured_at=envelope.captured_at or time.time(),
                data=picture.data,
                width=picture.width,
                height=picture.height,
                media_type=picture.media_type,
            )
            return frame, hub.publish(frame)
        except FrameError as exc:
            hub.refuse(camera, exc.reason)
            raise
        except HTTPException:  # what Werkzeug refuses, such as a form of too many parts
            hub.refuse(camera, "form")
            raise

    @bp.post("/cameras/<camera>/frames")
    def post_frame(camera: str) -> flask.Response:
        """Take one frame. 202: accepted, though a newer one may yet take its place."""
        received = time.time()
        frame, outcome = take(camera)
        answer = {"camera": camera, "epoch": frame.epoch, "seq": frame.seq, "state": outcome}
        response = flask.Response(json.dumps(answer), _STATUS[outcome], mimetype="application/json")
        response.headers[wire.RECEIVED_AT] = wire.format_time(received)
        response.headers[wire.REPLIED_AT] = wire.format_time(time.time())
        return response

    @bp.post("/image_post")
    def post_classic() -> flask.Response:
        """Take one frame in the classic form, base64 in the form field `img`."""
        frame, outcome = take(flask.request.args.get("camera", "default"))
        line = f"success: camera {frame.camera}, frame {frame.seq} {outcome}\n"
        return flask.Response(line, mimetype="text/plain")

    return bp


def _check_digest(envelope: wire.Envelope, picture: bytes) -> None:
    """Raise FrameError (422) unless the digest, if any, is the picture's or the whole body's."""
    try:
        wire.check_digest(envelope, picture)
    except FrameError:
        # RFC 9530 means the body, of which a form's picture is only a part.
        wire.check_digest(envelope, flask.request.get_data())
