"""The Flask application: puts the blueprints together and turns refusals into problem+json."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import flask
from werkzeug.exceptions import HTTPException

from receiver.access.access import Access
from receiver.base64_text import longest
from receiver.body import FrameRequest
from receiver.shortcut import ROUTE
from receiver.traffic import Traffic
from shared.errors import FrameError
from shared.problem import problem, retry_after

logger = logging.getLogger(__name__)

_TITLES = {
    400: "Malformed request",
    409: "Nobody to process it",
    411: "Length required",
    413: "Too large",
    415: "Not a picture that is taken here",
    422: "Not a whole, sane picture",
    429: "Too many cameras",
    503: "Not now",
}


class Receiver(flask.Flask):
    """A Flask application whose requests keep uploads in memory."""

    request_class = FrameRequest


def create_app(
    blueprints: Sequence[flask.Blueprint],
    *,
    max_bytes: int,
    access: Access | None = None,
    traffic: Traffic | None = None,
) -> Receiver:
    """Return the application; `max_bytes` is the largest picture's size.

    `access` guards all of it, and adds its own route. `traffic` counts its requests.
    """
    access = access or Access()
    app = Receiver(__name__, static_folder=None)
    # The ingest routes check their own, exact limits; these stop a body before it is read.
    limit = longest(max_bytes)
    app.config["MAX_CONTENT_LENGTH"] = limit + 64 * 1024
    app.config["MAX_FORM_MEMORY_SIZE"] = limit
    app.config["MAX_FORM_PARTS"] = 16

    @app.before_request
    def tell_route() -> None:
        rule = flask.request.url_rule
        if rule is not None:
            flask.request.environ[ROUTE] = rule.rule

    for bp in (*blueprints, access.blueprint()):
        app.register_blueprint(bp)

    @app.errorhandler(FrameError)
    def refuse(error: FrameError) -> flask.Response:
        seconds = retry_after(error)
        headers = {} if seconds is None else {"Retry_After": str(seconds)}
        if error.reason == "draining":
            headers["Connection"] = "close"
        return problem(error.status, _TITLES.get(error.status, "Refused"), str(error), **headers)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> flask.Response:
        status = error.code or 500
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
        return problem(status, error.name, error.description or error.name, **headers)

    @app.errorhandler(Exception)
    def own_up(error: Exception) -> flask.Response:
        logger.exception("a bug in answering %s", flask.request.path[:200])
        return problem(500, "Internal error", "a bug in the receiver; its log has the traceback")

    # Last, so that it stands in front of every shortcut.
    access.guard(app)
    if traffic is not None:  # what is refused there is a request too
        app.wsgi_app = traffic.before(app.wsgi_app)  # type: ignore[method-assign, assignment]
    return app
