"""Stream: the route that takes many frames in one request.

A request holds a thread, and so a seat, for as long as it goes on. The server's `read` cannot be
ended from outside, but the connection can: `connections` does it where a client is silent for long.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import flask

from receiver.desk import Desk
from receiver.parts import ALLOW, Parts
from receiver.prefer import read_every, read_wait
from shared.byte_stream import ByteStream
from shared.errors import FrameError
from shared.multipart import Multipart
from shared.seats import Seats

_LINES = "application/x-ndjson"
#: A part's states, as far as they are known when it was taken.
_STATES = ("accepted", "superseded", "duplicate", "refused")
#: What programs call a body when nobody tells them what it is; its first line knows better.
_NAMELESS = {"", "application/octet-stream", "application/x-www-form-urlencoded"}


def blueprint(
    desk: Desk,
    *,
    seats: Seats,
    max_bytes: int,
    wish: Callable[[str], str | None] = lambda camera: None,
) -> flask.Blueprint:
    """Return the route. A part may have `max_bytes`; `wish` as for `ingest.blueprint`."""
    bp = flask.Blueprint("stream", __name__)

    @bp.post("/cameras/<camera>/stream")
    def post_stream(camera: str) -> flask.Response:
        """Take the frames of an endless multipart body; answer each at once, or all at the end."""
        request = flask.request
        with desk.counting_refusals(camera):
            every = read_every(request.args.get("mode"))
            wait = read_wait(request.headers.get("Prefer"))
            boundary = _read_boundary(request)
            leave = _take_seat(seats)
        wants_lines = _wants_lines(request)
        multipart = Multipart(
            # Not through Flask, which cuts a body at the length that a single picture may have.
            ByteStream(request.environ["wsgi.input"].read),
            boundary=boundary,
            max_part=max_bytes,
            # Who reads no answers cannot be waiting for one.
            guess=not wants_lines,
        )
        allow = request.environ.get(ALLOW)
        if not wants_lines:
            try:
                return _sum_up(camera, Parts(desk, camera, multipart, every=every, allow=allow))
            finally:
                leave()
        parts = Parts(desk, camera, multipart, every=every, wait=wait, allow=allow)
        response = flask.Response(_tell(camera, parts, wish), mimetype=_LINES)
        response.headers["Cache-Control"] = "no-store"
        # For nginx, which would hold the lines back to fill its buffers.
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(leave)
        return response

    return bp


def _tell(camera: str, parts: Parts, wish: Callable[[str], str | None]) -> Iterator[bytes]:
    """Yield a line for each part, as soon as it was taken."""
    for outcome in parts:
        line = {"camera": camera} | outcome.facts()
        wished = wish(camera)
        if wished is not None:
            line["control"] = wished
        line["received_at"] = round(outcome.received, 6)
        line["replied_at"] = round(time.time(), 6)
        yield json.dumps(line).encode() + b"\n"


def _sum_up(camera: str, parts: Parts) -> flask.Response:
    """Take all parts, and say what became of them; raise FrameError if none was taken."""
    counts: Counter[str] = Counter()
    refused: tuple[int, FrameError] | None = None
    for outcome in parts:
        counts[outcome.state] += 1
        if outcome.error is not None:
            refused = counts.total(), outcome.error
            if outcome.is_last and outcome.error.reason != "truncated":
                raise _about(*refused)
    if refused is not None and counts["refused"] == counts.total():
        raise _about(*refused)
    summary: dict[str, Any] = {"camera": camera, "received": counts.total()}
    summary |= {state: counts[state] for state in _STATES}
    if refused is not None:
        summary["detail"] = str(_about(*refused))
    return flask.Response(json.dumps(summary) + "\n", mimetype="application/json")


def _about(number: int, error: FrameError) -> FrameError:
    """Return the error for the request. By a name its raiser would hold it, and it the picture."""
    return FrameError(f"part {number}: {error}", status=error.status, reason=error.reason)


def _wants_lines(request: flask.Request) -> bool:
    kinds = request.accept_mimetypes.values()
    return any(kind.partition(";")[0].strip().lower() == _LINES for kind in kinds)


def _read_boundary(request: flask.Request) -> str | None:
    kind = request.mimetype
    if kind not in _NAMELESS and not kind.startswith("multipart/"):
        raise FrameError(
            f"Content-Type: expected multipart/x-mixed-replace, got {kind[:80]!r}; "
            "a single picture goes to .../frames",
            status=415,
            reason="format",
        )
    return request.mimetype_params.get("boundary")


def _take_seat(seats: Seats) -> Callable[[], None]:
    leave = seats.take()
    if leave is None:
        raise FrameError(
            f"stream: expected at most {seats.limit} clients that stay, and all places are taken",
            status=503,
            reason="seats",
        )
    return leave
