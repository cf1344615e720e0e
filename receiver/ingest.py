"""Ingest: the routes that take one frame. It is checked and handed to the hub, never decoded."""

from __future__ import annotations

import time
from collections.abc import Callable

import flask
from flask.blueprints import BlueprintSetupState

from receiver.body import read_picture
from receiver.desk import Desk
from receiver.fate import Fate
from receiver.prefer import read_every, read_wait
from receiver.shortcut import RAISED, Shortcut
from shared import wire
from shared.errors import FrameError


def blueprint(
    desk: Desk, *, max_bytes: int, wish: Callable[[str], str | None] = lambda camera: None
) -> flask.Blueprint:
    """Return the ingest routes. A refusal raises FrameError, which the app turns into a problem.

    `wish` returns what to tell a camera's sender in X-Frame-Control, None for nothing.
    """
    bp = flask.Blueprint("ingest", __name__)

    def take(
        camera: str, received: float, *, every: bool = False, wait: float | None = None
    ) -> Fate:
        envelope = wire.from_headers(flask.request.headers)
        body = read_picture(flask.request, max_bytes=max_bytes)
        _check_digest(envelope, body)
        media_type = flask.request.headers.get("Content-Type", "")
        return desk.take(
            *(camera, body, envelope),
            media_type=media_type,
            received=received,
            every=every,
            wait=wait,
        )

    @bp.post("/cameras/<camera>/frames")
    def post_frame(camera: str) -> flask.Response:
        """Take one frame. 202: accepted, though a newer one may yet take its place."""
        received = time.time()
        raised: Exception | None = flask.request.environ.get(RAISED)
        if raised is not None:
            raise raised
        with desk.counting_refusals(camera):
            wait = read_wait(flask.request.headers.get("Prefer"))
            fate = take(
                camera, received, every=read_every(flask.request.args.get("mode")), wait=wait
            )
        body, headers = fate.reply(received)
        return flask.Response(body, fate.status, headers)

    @bp.post("/image_post")
    def post_classic() -> flask.Response:
        """Take one frame in the classic form, base64 in the form field `img`."""
        camera = flask.request.args.get("camera", "default")
        with desk.counting_refusals(camera):
            fate = take(camera, time.time())
        line = f"success: camera {camera}, frame {fate.frame.seq} {fate.state}\n"
        return flask.Response(line, mimetype="text/plain")

    @bp.record_once
    def put_shortcut(state: BlueprintSetupState) -> None:
        app = state.app
        assert isinstance(app, flask.Flask)
        app.wsgi_app = Shortcut(  # type: ignore[method-assign]
            app.wsgi_app, desk, max_bytes=max_bytes, wish=wish
        )

    @bp.after_request
    def tell_wish(response: flask.Response) -> flask.Response:
        given = flask.request.view_args or flask.request.args
        wished = wish(given.get("camera", "default"))
        if wished is not None:
            response.headers[wire.CONTROL] = wished
        return response

    return bp


def _check_digest(envelope: wire.Envelope, picture: bytes) -> None:
    """Raise FrameError (422) unless the digest, if any, is the picture's or the whole body's."""
    try:
        wire.check_digest(envelope, picture)
    except FrameError:
        # RFC 9530 means the body, of which a form's picture is only a part.
        wire.check_digest(envelope, flask.request.get_data())
