"""Ingest: the routes that take one frame. It is checked and handed to the hub, never decoded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import flask

from receiver import shortcut
from receiver.body import is_bare, read_bytes, read_picture
from receiver.desk import Desk
from receiver.environ import Headers
from receiver.fate import Fate
from receiver.prefer import read_every, read_wait
from shared import wire
from shared.errors import FrameError
from shared.frame import CAMERA_NAME

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Wish = Callable[[str], str | None]

_PATH = re.compile(rf"/cameras/({CAMERA_NAME.pattern})/frames", re.ASCII)


def blueprint(desk: Desk, *, max_bytes: int, wish: Wish = lambda camera: None) -> flask.Blueprint:
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
        shortcut.raise_again()
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

    @bp.after_request
    def tell_wish(response: flask.Response) -> flask.Response:
        given = flask.request.view_args or flask.request.args
        wished = wish(given.get("camera", "default"))
        if wished is not None:
            response.headers[wire.CONTROL] = wished
        return response

    shortcut.put(
        bp,
        partial(take_bare, desk, max_bytes=max_bytes, wish=wish),
        route="/cameras/<camera>/frames",
    )
    return bp


def take_bare(
    desk: Desk, environ: WSGIEnvironment, *, max_bytes: int, wish: Wish
) -> shortcut.Answer | None:
    """Answer a post whose body is the picture itself, as `post_frame` does; None for any other."""
    camera = _camera_of(environ)
    if camera is None:
        return None
    received = time.time()
    with desk.counting_refusals(camera):
        wait = read_wait(environ.get("HTTP_PREFER"))
        envelope = wire.from_headers(Headers(environ))
        picture = read_bytes(environ, limit=max_bytes)
        wire.check_digest(envelope, picture)
        fate = desk.take(
            *(camera, picture, envelope),
            media_type=environ["CONTENT_TYPE"],
            received=received,
            wait=wait,
        )
    wished = wish(camera)
    body, headers = fate.reply(received)
    headers.append(("Content-Length", str(len(body))))
    if wished is not None:
        headers.append((wire.CONTROL, wished))
    return f"{fate.status} {HTTPStatus(fate.status).phrase}", headers, body


def _camera_of(environ: WSGIEnvironment) -> str | None:
    """Return the camera that a bare picture is posted to; None for any other request."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("QUERY_STRING"):
        return None
    found = _PATH.fullmatch(environ["PATH_INFO"])
    return found[1] if found and is_bare(environ.get("CONTENT_TYPE", "")) else None


def _check_digest(envelope: wire.Envelope, picture: bytes) -> None:
    """Raise FrameError (422) unless the digest, if any, is the picture's or the whole body's."""
    try:
        wire.check_digest(envelope, picture)
    except FrameError:
        # RFC 9530 means the body, of which a form's picture is only a part.
        wire.check_digest(envelope, flask.request.get_data())
