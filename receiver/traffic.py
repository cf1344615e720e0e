"""Traffic: counts requests and times their answers, by route and status, for Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from receiver.shortcut import ROUTE
from shared.buckets import Buckets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Where nobody said one, as for a wrong path.
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Traffic:
    """Stands in front of the application. Any thread.

    Whoever answers says the route, in the request's environ, as it is written in the application
    (`/cameras/<camera>/frames`), never as a path that came. So there are no more series than
    routes, methods and statuses.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, str], int] = {}
        self._seconds: dict[str, Buckets] = {}

    def before(self, app: WSGIApplication) -> WSGIApplication:
        """Return the application with the counting in front of it."""

        def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            started = time.perf_counter()
            said = ""

            def start(status: str, headers: Any, *exc_info: Any) -> Callable[[bytes], object]:
                nonlocal said
                said = status
                return start_response(status, headers, *exc_info)

            body = app(environ, start)
            self._count(environ, said[:3], time.perf_counter() - started)
            return body

        return counted

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        requests = CounterMetricFamily(
            "framepost_http_requests",
            "Requests, by what was answered",
            labels=["route", "method", "status"],
        )
        seconds = HistogramMetricFamily(
            "framepost_http_request_seconds",
            "From a request's head to the beginning of its answer",
            labels=["route"],
        )
        with self._lock:
            counts, times = dict(self._counts), dict(self._seconds)
        for key, count in counts.items():
            requests.add_metric(key, count)
        for route, buckets in times.items():
            buckets.add_to(seconds, [route])
        yield from (requests, seconds)

    def _count(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        route = environ.get(ROUTE, _NO_ROUTE)
        method = environ["REQUEST_METHOD"]
        key = route, method if method in _METHODS else "other", status
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            buckets = self._seconds.get(route)
            if buckets is None:
                buckets = self._seconds[route] = Buckets(_SECONDS)
        buckets.observe(seconds)
