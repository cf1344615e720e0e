"""Page: every camera of this sender, live, for people."""

from __future__ import annotations

from pathlib import Path

import flask

#: Everything comes from this sender, and nothing that a camera says can run.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_FILES = Path(__file__).parent / "static"


def blueprint() -> flask.Blueprint:
    """Return the page and its files."""
    bp = flask.Blueprint("page", __name__, static_folder=_FILES, static_url_path="/static")

    @bp.get("/")
    def get_page() -> flask.Response:
        """The page."""
        response = flask.send_file(_FILES / "page.html", max_age=0)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    @bp.after_request
    def forbid_guessing(response: flask.Response) -> flask.Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return bp
