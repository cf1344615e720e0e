"""Dashboard: the page that shows every camera. What it shows comes by GET /live."""

from __future__ import annotations

import flask

#: Everything comes from this receiver, and nothing that a camera or a hook says can run.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def blueprint() -> flask.Blueprint:
    """Return the page and its files."""
    bp = flask.Blueprint(
        "dashboard",
        __name__,
        static_folder="static",
        static_url_path="/static",
        template_folder="templates",
    )

    @bp.get("/")
    def get_dashboard() -> flask.Response:
        """The page."""
        response = flask.Response(flask.render_template("dashboard.html"), mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    @bp.after_request
    def forbid_guessing(response: flask.Response) -> flask.Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return bp
