"""Door: what the routes in other systems' forms have in common: JSON, and errors in their form."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import flask
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from shared.errors import FrameError
from shared.problem import retry_after

logger = logging.getLogger(__name__)

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]


def reply(content: Any, *, status: int = 200) -> flask.Response:
    """Return `content` as JSON."""
    return flask.Response(json.dumps(content), status, mimetype="application/json")


def tell_errors(
    bp: flask.Blueprint,
    prefix: str,
    form: Callable[[int, str], Any],
    *,
    closed: Sequence[str] = (),
    statuses: Mapping[int, int] = MappingProxyType({}),
) -> None:
    """Answer whatever goes wrong below `prefix` with `form(status, sentence)`, as JSON.

    That includes routes that do not exist: `bp` takes all that is left below the prefix, and of the
    rules `closed`, which wider ones would take else. `statuses` replaces ours by those that the
    other system would give.
    """

    def error(status: int, sentence: str) -> flask.Response:
        status = statuses.get(status, status)
        return reply(form(status, sentence), status=status)

    def get_nothing(**_: str) -> flask.Response:
        asked = f"{flask.request.method} {flask.request.path[:200]}"
        allowed = _methods_here(but=f"{bp.name}.{get_nothing.__name__}")
        if not allowed:
            return error(404, f"{asked}: there is no such route")
        is_question = flask.request.method == "OPTIONS"
        sentence = f"{asked}: expected {' or '.join(allowed)}"
        response = flask.Response() if is_question else error(405, sentence)
        response.headers["Allow"] = ", ".join([*allowed, "OPTIONS"])
        return response

    @bp.before_request
    def tell_methods() -> flask.Response | None:
        # Flask would count those that lead to `get_nothing`.
        return get_nothing() if flask.request.method == "OPTIONS" else None

    for rule in (prefix, f"{prefix}/<path:rest>", *closed):
        bp.add_url_rule(rule, view_func=get_nothing, methods=_METHODS)

    @bp.errorhandler(FrameError)
    def refuse(exc: FrameError) -> flask.Response:
        response = error(exc.status, str(exc))
        seconds = retry_after(exc)
        if seconds is not None:
            response.headers["Retry-After"] = str(seconds)
        return response

    @bp.errorhandler(HTTPException)
    def explain(exc: HTTPException) -> flask.Response:
        return error(exc.code or 500, exc.description or exc.name)

    @bp.errorhandler(Exception)
    def own_up(exc: Exception) -> flask.Response:
        logger.exception("a bug in answering %s", flask.request.path[:200])
        return error(500, "a bug in the receiver; its log has the traceback")


def _methods_here(*, but: str) -> list[str]:
    """Return the methods by which the path of this request leads elsewhere than to `but`."""
    adapter = request_ctx.url_adapter
    assert adapter is not None
    matches = [(method, adapter.match(method=method)[0]) for method in _METHODS]
    return [method for method, endpoint in matches if endpoint != but]
