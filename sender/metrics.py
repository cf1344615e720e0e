"""Metrics: the pipelines' books and states for Prometheus, prefix `framepost_sender_`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sender.intake import State
from sender.pipeline import Pipeline
from shared.buckets import Buckets

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BYTES = (10e3, 30e3, 100e3, 300e3, 1e6, 3e6, 10e6)
_PREFIX = "framepost_sender"


class Metrics(Collector):
    """A Stopwatch of the posters that keeps the histograms. Any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        #: By camera.
        self._waits: dict[str, Buckets] = {}
        self._encodes: dict[str, Buckets] = {}
        self._posts: dict[str, Buckets] = {}
        self._sizes: dict[str, Buckets] = {}
        self.registry.register(self)

    def waited(self, camera: str, seconds: float) -> None:
        _observe(self._waits, camera, seconds)

    def encoded(self, camera: str, seconds: float) -> None:
        _observe(self._encodes, camera, seconds)

    def posted(self, camera: str, seconds: float, size: int) -> None:
        _observe(self._posts, camera, seconds)
        _observe(self._sizes, camera, size, _BYTES)

    def collect(self) -> Iterable[Metric]:
        for name, text, cameras in (
            ("wait_seconds", "From a frame's capture to its turn to be sent", self._waits),
            ("encode_seconds", "Making a JPEG of a frame", self._encodes),
            ("post_seconds", "From the start of a POST to its answer", self._posts),
            ("frame_size_bytes", "Size of the JPEGs that were answered 2xx", self._sizes),
        ):
            family = HistogramMetricFamily(f"{_PREFIX}_{name}", text, labels=["camera"])
            for camera, buckets in cameras.copy().items():
                buckets.add_to(family, [camera])
            yield family


class PipelineCollector(Collector):
    """Reads the pipelines when Prometheus asks, so that no counter is kept twice."""

    def __init__(self, pipelines: Sequence[Pipeline]) -> None:
        self._pipelines = pipelines

    def collect(self) -> Iterable[Metric]:
        captured = _counter("captured", "Frames captured: with recovered all that became of them")
        recovered = _counter("recovered", "Frames of an earlier run, found in the spool")
        expired = _counter("expired", "Frames given up for --spool-bytes or --spool-age")
        posted = _counter("posted", "Frames answered 2xx")
        superseded = _counter("superseded", "Frames replaced by a newer one before their turn")
        refused = _counter("refused", "Frames answered otherwise", "status")
        failed = _counter("failed", "Frames without an answer", "reason")
        thinned = _counter("thinned", "Frames left out for --fps or the receiver's wish")
        corrupt = _counter("corrupt", "Frames that came damaged")
        reconnects = CounterMetricFamily(
            f"{_PREFIX}_reconnects", "Times the source was opened again", labels=["camera"]
        )
        abandoned = CounterMetricFamily(
            f"{_PREFIX}_abandoned_readers", "Threads given up in a source", labels=["camera"]
        )
        waiting = _gauge("frames_waiting", "Frames in the slot, in the spool or on their way")
        spooled = _gauge("spool_frames", "Frames in the spool")
        spool_bytes = _gauge("spool_bytes", "Bytes of the spool on the disk")
        oldest = _gauge("spool_oldest_seconds", "Age of the oldest frame in the spool")
        fps = _gauge("camera_fps", "Frames a second from the source")
        posted_fps = _gauge("posted_fps", "Frames a second answered 2xx")
        age = _gauge("frame_age_seconds", "From capture to answer, median of the newest frames")
        idle = _gauge("camera_idle_seconds", "Seconds since the last sound frame")
        offset = _gauge("clock_offset_seconds", "By which the receiver's clock is ahead of ours")
        error = _gauge("clock_error_seconds", "By how much that may be wrong")
        jumps = CounterMetricFamily(
            f"{_PREFIX}_clock_jumps",
            "Times a clock was set, ours or the receiver's",
            labels=["camera"],
        )
        up = _gauge("up", "1 while frames come from the source")
        states = _gauge("camera_state", "1 for the state that its reading is in", "state")
        first = _gauge("first_frame_seconds", "From opening the source to its first picture")
        resting = _gauge("resting", "1 while the receiver is left alone, after trouble with it")
        for pipeline in self._pipelines:
            name, intake, ledger = [pipeline.camera], pipeline.intake, pipeline.ledger
            books = ledger.books()
            captured.add_metric(name, books.captured)
            posted.add_metric(name, books.posted)
            superseded.add_metric(name, books.superseded)
            for status, count in books.refused.items():
                refused.add_metric([*name, str(status)], count)
            for reason, count in books.failed.items():
                failed.add_metric([*name, reason], count)
            recovered.add_metric(name, books.recovered)
            expired.add_metric(name, books.expired)
            if (stock := pipeline.stock()) is not None:
                spooled.add_metric(name, stock.waiting)
                spool_bytes.add_metric(name, stock.bytes)
                oldest.add_metric(name, stock.oldest_seconds)
            thinned.add_metric(name, intake.thinned)
            corrupt.add_metric(name, intake.corrupt)
            reconnects.add_metric(name, intake.reconnects)
            abandoned.add_metric(name, intake.abandoned)
            waiting.add_metric(name, books.waiting)
            fps.add_metric(name, intake.rate.per_second())
            posted_fps.add_metric(name, ledger.rate.per_second())
            if (seconds := ledger.age()) is not None:
                age.add_metric(name, seconds)
            idle.add_metric(name, intake.idle())
            state = intake.state()
            up.add_metric(name, state == "live")
            for each in get_args(State):
                states.add_metric([*name, each], state == each)
            if intake.first_frame is not None:
                first.add_metric(name, intake.first_frame)
            resting.add_metric(name, pipeline.is_resting)
            if (estimate := pipeline.clock_offset.estimate()) is not None:
                offset.add_metric(name, estimate.offset)
                error.add_metric(name, estimate.error)
            jumps.add_metric(name, pipeline.clock_offset.jumps)
        yield from (captured, posted, superseded, refused, failed, thinned, corrupt, reconnects)
        yield from (abandoned, waiting, fps, posted_fps, age, idle, up, offset, error, jumps)
        yield from (states, first, resting, recovered, expired, spooled, spool_bytes, oldest)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{_PREFIX}_frames_{name}", text, labels=["camera", *labels])


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=["camera", *labels])


def _observe(
    cameras: dict[str, Buckets], camera: str, value: float, bounds: Sequence[float] = _SECONDS
) -> None:
    buckets = cameras.get(camera)
    if buckets is None:
        buckets = cameras.setdefault(camera, Buckets(bounds))
    buckets.observe(value)
