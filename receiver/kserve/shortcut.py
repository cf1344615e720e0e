"""Shortcut: answers inference requests before Flask, whose share of them is half of their cost."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from receiver.kserve.inference import Inference
from receiver.shortcut import RAISED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Names with slashes, and versions, are the routes'.
_PATH = re.compile(r"/v2/models/([A-Za-z0-9_.-]+)/infer", re.ASCII)


class InferenceShortcut:
    """A WSGI application in front of the real one, which it leaves all other requests to, and the
    answer to what is wrong with one."""

    def __init__(self, app: WSGIApplication, inference: Inference) -> None:
        self._app = app
        self._inference = inference

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        model = _model_of(environ)
        if model is None:
            return self._app(environ, start_response)
        try:
            body, headers = self._inference.answer(environ, model)
        except Exception as exc:  # noqa: BLE001  # told as any route's
            environ[RAISED] = exc
            return self._app(environ, start_response)
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]


def _model_of(environ: WSGIEnvironment) -> str | None:
    """Return the model that is asked; None for any other request."""
    path: str = environ["PATH_INFO"]
    if not path.startswith("/v2/") or environ["REQUEST_METHOD"] != "POST":
        return None
    found = _PATH.fullmatch(path)
    return found[1] if found else None
