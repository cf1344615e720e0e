"""Dashboard: the page that shows every camera. The page asks the other routes for all it shows."""

from __future__ import annotations

import flask

#: Everything comes from this receiver, and nothing that a camera or a hook says can run.
_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
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
