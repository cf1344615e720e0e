"""Events: every result as it comes, as Server-Sent Events.

The form is that of the HTML standard (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator

import flask
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from werkzeug.datastructures import MultiDict

from receiver.feeds.follower import Follower, Skipped
from receiver.feeds.journal import Entry, Journal
from shared.frame import check_camera
from shared.latest import Closed
from shared.problem import problem
from shared.seats import Seats

#: After so many milliseconds a browser comes back.
_RETRY = 1000
#: A reader who went away is noticed when something is sent: after so many seconds at the latest.
_HEARTBEAT = 10.0


class Events:
    """Serves the journal to any number of readers. Any thread."""

    def __init__(self, journal: Journal, *, seats: Seats, heartbeat: float = _HEARTBEAT) -> None:
        self._journal = journal
        self._seats = seats
        self._heartbeat = heartbeat
        self._lock = threading.Lock()
        self._readers = 0

    def answer(self, request: flask.Request) -> flask.Response:
        """Return the stream; raise FrameError (400) for what cannot name a camera."""
        cameras = _read_cameras(request.args)
        # The parameter is what browsers' stand-ins for EventSource send, who can set no headers.
        after = request.headers.get("Last-Event-ID") or request.args.get("lastEventId")
        response = flask.Response(content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        # For nginx, which would hold events back to fill its buffers.
        response.headers["X-Accel-Buffering"] = "no"
        if request.method == "HEAD":
            return response
        follower = Follower(self._journal, cameras=cameras, after=after or None)
        leave = self._seats.take()
        if leave is None:
            return problem(
                503,
                "Too many readers",
                f"events: expected at most {self._seats.limit} clients that stay, "
                "and all places are taken",
                Retry_After="5",
            )
        response.response = self._stream(follower)
        with self._lock:
            self._readers += 1

        @response.call_on_close
        def close() -> None:
            leave()
            with self._lock:
                self._readers -= 1

        return response

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        readers = GaugeMetricFamily("framepost_event_readers", "Readers of /events")
        readers.add_metric([], self._readers)
        skipped = CounterMetricFamily(
            "framepost_events_skipped", "Results that readers of /events did not get"
        )
        skipped.add_metric([], self._journal.skipped)
        yield from (readers, skipped)

    def _stream(self, follower: Follower) -> Iterator[bytes]:
        yield f"retry: {_RETRY}\n\n".encode()
        if follower.is_up_to_date:
            # Who loses the connection before the first result comes back to this place.
            yield f"id: {self._journal.format_id(follower.place)}\n\n".encode()
        while True:
            try:
                item = follower.next(self._heartbeat)
            except Closed:
                return
            if item is None:
                yield b":\n\n"
            else:
                yield _event(item, self._journal.format_id(item.number))


def blueprint(events: Events) -> flask.Blueprint:
    """Return the route."""
    bp = flask.Blueprint("events", __name__)

    @bp.get("/events")
    def get_events() -> flask.Response:
        """Every result, of ?camera=a,b or of all cameras, from now on or after Last-Event-ID."""
        return events.answer(flask.request)

    return bp


def _event(item: Entry | Skipped, name: str) -> bytes:
    if isinstance(item, Skipped):
        data = json.dumps({"skipped": item.count, "reason": item.reason})
        return f"id: {name}\nevent: skipped\ndata: {data}\n\n".encode()
    # JSON escapes the ends of lines, so the data is one line whatever a hook returned.
    return b"id: %s\nevent: result\ndata: %s\n\n" % (name.encode(), item.data)


def _read_cameras(arguments: MultiDict[str, str]) -> Collection[str] | None:
    given = arguments.getlist("camera")
    if not given:
        return None
    return frozenset(check_camera(name.strip()) for each in given for name in each.split(","))
