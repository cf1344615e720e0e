"""Contract: the receiver's interface as a document, for people and generators of clients."""

from __future__ import annotations

from pathlib import Path

import flask

_DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.yaml"


def blueprint() -> flask.Blueprint:
    """Return the route."""
    bp = flask.Blueprint("contract", __name__)

    @bp.get("/openapi.yaml")
    def get_contract() -> flask.Response:
        """OpenAPI 3.1, in YAML (RFC 9512)."""
        return flask.Response(_DOCUMENT.read_bytes(), content_type="application/yaml")

    return bp
