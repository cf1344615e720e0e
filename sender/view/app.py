"""The Flask application of the sender's status port: numbers, and pictures for who may see them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import flask
from werkzeug.exceptions import HTTPException

from sender.view.guard import Guard
from shared.access.refusals import Refusals
from shared.problem import problem

logger = logging.getLogger(__name__)


def create_app(
    blueprints: Sequence[flask.Blueprint],
    *,
    token: str | None = None,
    is_exposed: bool = False,
    refusals: Refusals,
) -> flask.Flask:
    """Return the application; see Guard for the rest."""
    app = flask.Flask(__name__, static_folder=None)
    for bp in blueprints:
        app.register_blueprint(bp)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> flask.Response:
        status = error.code or 500
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
        sentence = error.description or error.name
        if status == 404:
            rules = sorted(rule.rule for rule in app.url_map.iter_rules())
            sentence = f"path: expected {', '.join(rules)}; got {flask.request.path[:80]!a}"
        return problem(status, error.name, sentence, **headers)

    @app.errorhandler(Exception)
    def own_up(error: Exception) -> flask.Response:
        logger.exception("a bug in answering %s", flask.request.path[:200])
        return problem(500, "Internal error", "a bug in the sender; its log has the traceback")

    app.wsgi_app = Guard(  # type: ignore[method-assign]
        app.wsgi_app, token=token, is_exposed=is_exposed, refusals=refusals
    )
    return app
