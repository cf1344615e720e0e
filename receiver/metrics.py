"""Metrics: the hub's books, and what frames' time went into, for Prometheus (`framepost_`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from receiver.hub import Hub
from receiver.latency import STAGES
from receiver.result import Result
from receiver.traffic import Traffic
from shared import process_stats
from shared.buckets import Buckets
from shared.frame import EncodedFrame

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BYTES = (10e3, 30e3, 100e3, 300e3, 1e6, 3e6, 10e6)
_COUNTS = ("received", "processed", "superseded", "failed", "duplicate")


class Part(Protocol):
    """What has metrics."""

    def collect(self) -> Iterable[Metric]: ...


class Parts(Collector):
    """Asks several parts, whenever Prometheus asks."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        for part in self._parts:
            yield from part.collect()


class Metrics(Collector):
    """An Observer of the hub that keeps the histograms. Any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        process_stats.register(self.registry, "receiver")
        self.traffic = Traffic()
        self.registry.register(Parts(self.traffic))
        #: By camera: of frames that came their age and size; of results their age and the stages.
        self._arrivals: dict[str, tuple[Buckets, Buckets]] = {}
        self._results: dict[str, tuple[Buckets, tuple[Buckets, ...]]] = {}
        self.registry.register(self)

    def received(self, frame: EncodedFrame) -> None:
        arrival = self._arrivals.get(frame.camera)
        if arrival is None:
            fresh = Buckets(_SECONDS), Buckets(_BYTES)
            arrival = self._arrivals.setdefault(frame.camera, fresh)
        age, size = arrival
        age.observe(frame.age())
        size.observe(len(frame.data))

    def finished(self, result: Result) -> None:
        camera = result.frame.camera
        # Another receiver's metrics have it, or the camera was forgotten while its hook ran.
        if not result.is_ours or camera not in self._arrivals:
            return
        known = self._results.get(camera)
        if known is None:
            fresh = Buckets(_SECONDS), tuple(Buckets(_SECONDS) for _ in STAGES)
            known = self._results.setdefault(camera, fresh)
        age, stages = known
        age.observe(result.frame.age())
        for stage, buckets in zip(STAGES, stages, strict=True):
            buckets.observe(getattr(result, stage))

    def forgotten(self, camera: str) -> None:
        self._arrivals.pop(camera, None)
        self._results.pop(camera, None)

    def closed(self) -> None: ...

    def collect(self) -> Iterable[Metric]:
        ages = _histogram("frame_age_seconds", "From capture to receipt, as right as the clocks")
        sizes = _histogram("frame_size_bytes", "Size of the pictures that came")
        results = _histogram("result_age_seconds", "From capture to result, as right as the clocks")
        times = _histogram(
            "stage_seconds",
            "What a frame's time went into: queue, decode, hook; total is receipt to result",
            "stage",
        )
        for camera, (age, size) in self._arrivals.copy().items():
            age.add_to(ages, [camera])
            size.add_to(sizes, [camera])
        for camera, (age, stages) in self._results.copy().items():
            age.add_to(results, [camera])
            for stage, buckets in zip(STAGES, stages, strict=True):
                buckets.add_to(times, [camera, stage])
        yield from (ages, sizes, results, times)


class HubCollector(Collector):
    """Reads the hub when Prometheus asks, so that no counter is kept twice."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        counts = {
            name: CounterMetricFamily(
                f"framepost_frames_{name}", f"Frames {name}", labels=["camera"]
            )
            for name in _COUNTS
        }
        waiting = GaugeMetricFamily("framepost_frames_waiting", "Frames waiting", labels=["camera"])
        queued = GaugeMetricFamily(
            "framepost_frames_queued",
            "Of those waiting, the ones of mode=every",
            labels=["camera"],
        )
        missing = GaugeMetricFamily(
            "framepost_frames_missing",
            "Frames that the sender counted and that did not come",
            labels=["camera"],
        )
        fps = GaugeMetricFamily("framepost_camera_fps", "Frames a second", labels=["camera"])
        up = GaugeMetricFamily("framepost_camera_live", "1 while frames come", labels=["camera"])
        frozen = GaugeMetricFamily(
            "framepost_camera_frozen", "1 while the frames are all the same", labels=["camera"]
        )
        idle = GaugeMetricFamily(
            "framepost_camera_idle_seconds", "Seconds since the last frame", labels=["camera"]
        )
        shown = CounterMetricFamily(
            "framepost_frames_shown", "Frames that some viewer was shown", labels=["camera"]
        )
        viewers = GaugeMetricFamily("framepost_viewers", "Live viewers", labels=["camera"])
        offset = GaugeMetricFamily(
            "framepost_clock_offset_seconds",
            "By which our clock is ahead of the sender's",
            labels=["camera"],
        )
        error = GaugeMetricFamily(
            "framepost_clock_error_seconds", "By how much that may be wrong", labels=["camera"]
        )
        jumps = CounterMetricFamily(
            "framepost_clock_jumps",
            "Times a clock was set, the sender's or ours",
            labels=["camera"],
        )
        skewed = CounterMetricFamily(
            "framepost_frames_skewed", "Frames that came before they were sent", labels=["camera"]
        )
        for camera in self._hub.cameras():
            if camera.order.newest is None:  # another receiver tells of it
                continue
            books = camera.books()
            for name, family in counts.items():
                family.add_metric([camera.name], getattr(books, name))
            waiting.add_metric([camera.name], books.waiting)
            queued.add_metric([camera.name], camera.pending.queued)
            missing.add_metric([camera.name], camera.order.missing)
            fps.add_metric([camera.name], camera.arrivals.per_second())
            up.add_metric([camera.name], camera.is_live())
            frozen.add_metric([camera.name], camera.state() == "frozen")
            idle.add_metric([camera.name], camera.own_age())
            shown.add_metric([camera.name], camera.shown)
            viewers.add_metric([camera.name], camera.viewers)
            clock = camera.sender_clock
            if (estimate := clock.offset.estimate()) is not None:
                offset.add_metric([camera.name], estimate.offset)
                error.add_metric([camera.name], estimate.error)
            jumps.add_metric([camera.name], clock.offset.jumps)
            skewed.add_metric([camera.name], clock.skewed)
        refused = CounterMetricFamily(
            "framepost_frames_refused", "Bodies that were no frames", labels=["camera", "reason"]
        )
        for (name, reason), count in self._hub.refused().items():
            refused.add_metric([name, reason], count)
        yield from (*counts.values(), waiting, queued, fps, up, frozen, idle, viewers, refused)
        yield from (shown, missing)
        limit = GaugeMetricFamily(
            "framepost_queue_limit", "How many frames of mode=every a camera may have waiting"
        )
        limit.add_metric([], self._hub.max_queue)
        yield limit
        yield from (offset, error, jumps, skewed)


def _histogram(name: str, text: str, *labels: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"framepost_{name}", text, labels=["camera", *labels])
