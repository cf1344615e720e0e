"""Streaming: answers that go on for as long as their viewer stays."""

from __future__ import annotations

from collections.abc import Iterator

import flask

from shared.problem import problem
from shared.seats import Seats, Watched

NO_STORE = "no-store, no-transform"
#: Of a body that goes on Granian, the receiver's server, takes some pieces ahead of what can be
#: sent, however large they are: a viewer who reads slowly, or never, has those in our memory.
_PIECE = 1 << 16


def streaming(content_type: str) -> flask.Response:
    """Return an answer without a body yet, that nobody on the way holds back or keeps."""
    response = flask.Response(content_type=content_type)
    response.headers["Cache-Control"] = NO_STORE
    # For nginx, which would hold pictures back to fill its buffers.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def pieces(data: bytes) -> Iterator[bytes]:
    """Return `data` in pieces that are small enough to be held for each viewer."""
    if len(data) <= _PIECE:
        return iter((data,))
    return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))


def seated(
    response: flask.Response, seats: Seats, *, camera: Watched | None = None
) -> flask.Response:
    """Have the answer keep a seat until its end, of a viewer of `camera` where that is given.

    Without a seat left it is closed, and what is returned says so.
    """
    leave = seats.take(camera)
    if leave is None:
        response.close()
        return problem(
            503,
            "Too many viewers",
            f"viewers: expected at most {seats.limit} at once, and all places are taken",
            Retry_After="5",
        )
    response.call_on_close(leave)
    return response
