"""Spans: what became of some frames, stage by stage, told to an OpenTelemetry collector.

Spans are made when a frame's fate is known, from times that were taken anyway, and off the frame's
way. OpenTelemetry is an extra (requirements-otel.txt), and nobody imports it who does not trace.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from shared.errors import ConfigError
from shared.redact import redact
from shared.traceparent import TraceParent
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

_LIMIT = 2048
_BATCH = 512
#: Seconds that spans wait for company, and that a collector has to take them.
_EVERY = 1.0
_TIMEOUT = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stage of one frame. Times are Unix seconds."""

    name: str
    place: TraceParent
    #: The span that this one is a part of; None for the first of a trace.
    parent: TraceParent | None
    start: float
    end: float
    kind: Literal["internal", "server", "client"] = "internal"
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    #: One sentence where the stage failed.
    error: str | None = None


class Spans(Worker):
    """Sends them in batches. Any thread may add; none waits."""

    def __init__(
        self, service: str, *, to: str, ratio: float = 1.0, timeout: float = _TIMEOUT
    ) -> None:
        """`to` is the collector, OTLP over HTTP; `ratio` is the share of frames whose trace is
        begun here. Raise ConfigError where OpenTelemetry is not installed.
        """
        super().__init__("spans")
        self._exporter, self._convert = _load(service, to, timeout)
        self._ratio = ratio
        self._to = redact(to)
        self._trouble = Trouble("traces", over=f"{self._to} takes them again", logger=logger)
        self._made: deque[Callable[[], Iterable[Span]]] = deque()
        self._news = threading.Event()
        #: Frames whose spans were left out because too many waited, or no collector took them.
        self.lost = 0

    def sample(self) -> bool:
        """Say whether a frame that comes without a trace is to get one."""
        return random.random() < self._ratio

    def add(self, make: Callable[[], Iterable[Span]]) -> None:
        """Have one frame's spans made and sent, on the thread of this worker.

        Up to two thousand wait where the collector is slow: `make` must not hold the picture.
        """
        if len(self._made) >= _LIMIT:
            self.lost += 1
            return
        self._made.append(make)
        self._news.set()

    def step(self) -> None:
        if not self._news.wait(_EVERY):
            return
        self._news.clear()
        self.pause(_EVERY)  # for company
        if not self.stopping:  # else `close` sends them, and waits for the collector once
            self._send()

    def close(self) -> None:
        self._send()
        self._exporter.shutdown()

    def wake(self) -> None:
        self._news.set()

    def _send(self) -> None:
        """Send what waits, up to the first batch that is not taken."""
        while self._made:
            frames = [self._made.popleft() for _ in range(min(_BATCH, len(self._made)))]
            spans = [self._convert(span) for make in frames for span in make()]
            # Its answer is an enum whose first member, 0, is success.
            if self._exporter.export(spans).value == 0:
                self._trouble.worked()
            else:
                self.lost += len(frames)
                self._trouble.happened("export", f"{self._to} does not take them, frames go on")
                self._news.set()  # there may be more
                return


def check_installed() -> None:
    """Raise ConfigError where OpenTelemetry is not."""
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http") and find_spec(
            "opentelemetry.sdk"
        )
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ConfigError(
            "trace_to: traces need OpenTelemetry: pip install -r requirements-otel.txt"
        )


def _load(service: str, to: str, timeout: float) -> tuple[Any, Callable[[Span], Any]]:
    """Return OpenTelemetry's exporter, and what makes one of its spans of ours."""
    check_installed()
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    # It says at length and each time what `Trouble` says once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": service})
    scope = InstrumentationScope("framepost")
    kinds = {
        "internal": trace.SpanKind.INTERNAL,
        "server": trace.SpanKind.SERVER,
        "client": trace.SpanKind.CLIENT,
    }

    def context(place: TraceParent, *, is_remote: bool = False) -> trace.SpanContext:
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
        return trace.SpanContext(place.trace_id, place.span_id, is_remote, flags)

    def convert(span: Span) -> ReadableSpan:
        is_remote = span.kind == "server"
        failed = trace.Status(trace.StatusCode.ERROR, span.error) if span.error else None
        return ReadableSpan(
            span.name,
            context=context(span.place),
            parent=context(span.parent, is_remote=is_remote) if span.parent else None,
            resource=resource,
            attributes=dict(span.attributes),
            kind=kinds[span.kind],
            status=failed or trace.Status(trace.StatusCode.UNSET),
            start_time=round(span.start * 1e9),
            end_time=round(max(span.start, span.end) * 1e9),
            instrumentation_scope=scope,
        )

    base = to.rstrip("/")
    return OTLPSpanExporter(endpoint=f"{base}/v1/traces", timeout=timeout), convert


def to_unix(moment: float) -> float:
    """Return a moment by the monotonic clock as Unix seconds."""
    return time.time() - (time.monotonic() - moment)
