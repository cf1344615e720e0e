"""Shortcut: takes plain pictures in before Flask, whose share of a request is half of its cost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from receiver.body import is_bare, read_bytes
from receiver.desk import Desk
from receiver.environ import Headers
from receiver.prefer import read_wait
from shared import wire
from shared.frame import CAMERA_NAME

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where the application finds what was raised here, and raises it again.
RAISED = "framepost.raised"
_PATH = re.compile(rf"/cameras/({CAMERA_NAME.pattern})/frames", re.ASCII)


class Shortcut:
    """A WSGI application in front of the real one: it takes `POST /cameras/{camera}/frames` whose
    body is the picture itself, by the same functions as the route.

    Whatever else comes is the application's, and so is the answer to what is wrong with a picture.
    What the application does before or after each request is not done for a picture that is taken.
    """

    def __init__(
        self,
        app: WSGIApplication,
        desk: Desk,
        *,
        max_bytes: int,
        wish: Callable[[str], str | None],
    ) -> None:
        """`max_bytes` and `wish` as for `ingest.blueprint`."""
        self._app = app
        self._desk = desk
        self._max_bytes = max_bytes
        self._wish = wish

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        camera = _camera_of(environ)
        if camera is None:
            return self._app(environ, start_response)
        try:
            status, headers, body = self._take(camera, environ)
        except Exception as exc:  # noqa: BLE001  # told as any route's
            environ[RAISED] = exc
            return self._app(environ, start_response)
        start_response(status, headers)
        # A list, which the server sends in one piece.
        return [body]

    def _take(
        self, camera: str, environ: WSGIEnvironment
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        received = time.time()
        with self._desk.counting_refusals(camera):
            wait = read_wait(environ.get("HTTP_PREFER"))
            envelope = wire.from_headers(Headers(environ))
            picture = read_bytes(environ, limit=self._max_bytes)
            wire.check_digest(envelope, picture)
            fate = self._desk.take(
                *(camera, picture, envelope),
                media_type=environ["CONTENT_TYPE"],
                received=received,
                wait=wait,
            )
        wished = self._wish(camera)
        body, headers = fate.reply(received)
        headers.append(("Content-Length", str(len(body))))
        if wished is not None:
            headers.append((wire.CONTROL, wished))
        return f"{fate.status} {HTTPStatus(fate.status).phrase}", headers, body


def _camera_of(environ: WSGIEnvironment) -> str | None:
    """Return the camera that a plain picture is posted to; None for any other request."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("QUERY_STRING"):
        return None
    found = _PATH.fullmatch(environ["PATH_INFO"])
    return found[1] if found and is_bare(environ.get("CONTENT_TYPE", "")) else None
