"""Routes of the hooks: what they printed, and loading one anew."""

from __future__ import annotations

import math
from dataclasses import asdict

import flask

from receiver.hooking.runner import ReloadRefused, Runner
from receiver.origin import check_origin
from shared.errors import FrameError
from shared.problem import problem

_LINES = 200
_MAX_LINES = 500


def blueprint(runner: Runner) -> flask.Blueprint:
    """Return the routes, for the hooks of this process; on a bus each process has its own."""
    bp = flask.Blueprint("hooks", __name__)

    @bp.get("/hooks/log")
    def get_log() -> flask.Response:
        """The newest lines that hooks printed, and what was said of them."""
        lines = _number("lines", default=_LINES, least=1, most=_MAX_LINES)
        after = _number("after", default=0, least=0, most=1 << 53)
        found, last = runner.log.newest(lines, hook=_hook(runner), after=after)
        return flask.jsonify(lines=[asdict(line) for line in found], next=last)

    @bp.post("/hooks/reload")
    def reload() -> flask.Response:
        """Load a hook anew, or all of them, as when a file is saved."""
        check_origin(flask.request.environ)
        hook = _hook(runner)
        try:
            workers = runner.reload(hook)
            if not workers:
                return problem(404, "No hook", "reload: no hook runs in this process")
        except ReloadRefused as exc:
            if exc.after is None:
                return problem(409, "Not now", str(exc))
            return problem(429, "Too soon", str(exc), Retry_After=str(math.ceil(exc.after)))
        response = flask.jsonify(workers=[asdict(status) for status in workers])
        response.status_code = 202
        return response

    return bp


def _hook(runner: Runner) -> str | None:
    """Return which hook is asked for, None for all; raise FrameError (404)."""
    hook = flask.request.args.get("hook")
    known = list(dict.fromkeys(status.hook for status in runner.status()))
    if hook is not None and hook not in known:
        expected = f"expected one of {', '.join(known)}" if known else "none runs in this process"
        raise FrameError(f"hook: {expected}; got {hook[:200]!r}", status=404, reason="hook")
    return hook


def _number(name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number of the query; raise FrameError (400)."""
    text = flask.request.args.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 16 and least <= int(text) <= most:
        return int(text)
    raise FrameError(
        f"{name}: expected a whole number from {least} to {most}, got {text[:40]!r}",
        status=400,
        reason="query",
    )
