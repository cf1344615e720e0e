from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from shared.errors import ConfigError
from shared.spans import Span, Spans, to_unix
from shared.traceparent import TraceParent
from tests.collector import Collector
from tests.sender.doubles import black_hole, free_port


def span(name: str = "frame", *, error: str | None = None) -> Span:
    now = time.time()
    return Span(
        name=name, place=TraceParent.begin(), parent=None, start=now - 1, end=now, error=error
    )


def test_spans_reach_the_collector() -> None:
    sent = span(error="it broke")
    with Collector() as collector:
        spans = Spans("some-service", to=collector.url + "/")
        spans.add(lambda: [sent])
        spans.close()

    (seen,) = collector.spans
    assert (seen.service, seen.name, seen.error) == ("some-service", "frame", "it broke")
    assert seen.trace == f"{sent.place.trace_id:032x}"
    assert seen.id == f"{sent.place.span_id:016x}"
    assert seen.parent == ""
    assert seen.start == pytest.approx(sent.start, abs=1e-5)
    assert seen.end == pytest.approx(sent.end, abs=1e-5)


def test_spans_are_sent_while_it_runs() -> None:
    with Collector() as collector:
        spans = Spans("s", to=collector.url).start()
        spans.add(lambda: [span("a"), span("b")])
        collector.wait_for(lambda seen: len(seen) == 2)
        spans.stop()


def test_a_collector_that_is_away_is_told_of_once_and_found_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    spans = Spans("s", to=f"http://127.0.0.1:{port}", timeout=0.3)
    for _ in range(3):
        spans.add(lambda: [span()])
        spans._send()

    assert spans.lost == 3
    said = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert said == [f"traces: http://127.0.0.1:{port} does not take them, frames go on"]
    with Collector(port=port) as collector:
        spans.add(lambda: [span()])
        spans.close()
    assert len(collector.spans) == 1


def test_the_collectors_password_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Collector(status=503) as collector:
        to = collector.url.replace("://", "://user:s3cret@")
        spans = Spans("s", to=to, timeout=0.3)
        spans.add(lambda: [span()])
        spans.close()

    assert "does not take them" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("status", [400, 404, 503])
def test_a_collector_that_refuses_is_trouble(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with Collector(status=status) as collector:
        spans = Spans("s", to=collector.url, timeout=0.3)
        spans.add(lambda: [span()])
        spans.close()

    assert spans.lost == 1
    assert "does not take them" in caplog.text


def test_the_end_waits_no_longer_than_the_time_out() -> None:
    with black_hole() as port:
        spans = Spans("s", to=f"http://127.0.0.1:{port}", timeout=0.5).start()
        for _ in range(1500):  # three batches
            spans.add(lambda: [span()])
        started = time.monotonic()

        assert spans.stop()

    assert time.monotonic() - started < 10


def test_a_stop_does_not_wait_for_one_batch_after_the_other() -> None:
    with black_hole() as port:
        spans = Spans("s", to=f"http://127.0.0.1:{port}", timeout=1.0)
        for _ in range(2000):  # four batches
            spans.add(lambda: [span()])
        started = time.monotonic()
        spans._send()

    assert time.monotonic() - started < 3  # four would take 4 s
    assert spans.lost == 512
    spans.close()


def test_what_nobody_takes_is_bounded() -> None:
    spans = Spans("s", to="http://127.0.0.1:9", timeout=0.1)
    made = 0

    def make() -> Iterator[Span]:
        nonlocal made
        made += 1
        yield span()

    for _ in range(3000):
        spans.add(make)

    assert spans.lost == 3000 - 2048
    assert made == 0  # on its own thread, later
    spans.close()


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 0), (1.0, 500)])
def test_the_ratio_is_the_share_of_frames(ratio: float, expected: int) -> None:
    spans = Spans("s", to="http://127.0.0.1:9", ratio=ratio)

    assert sum(spans.sample() for _ in range(500)) == expected
    spans.close()


def test_without_opentelemetry_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.spans.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"pip install -r requirements-otel\.txt"):
        Spans("s", to="http://127.0.0.1:9")


def test_monotonic_moments_become_the_time_of_day() -> None:
    assert to_unix(time.monotonic() - 5) == pytest.approx(time.time() - 5, abs=0.1)
