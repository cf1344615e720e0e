"""Metrics: the hub's books, and what frames' time went into, for Prometheus (`framepost_`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.hub import Hub
from receiver.latency import STAGES
from receiver.result import Result
from shared.frame import EncodedFrame

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTS = ("received", "processed", "superseded", "failed", "duplicate")


class Metrics:
    """An Observer of the hub that keeps the histograms. Any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._age = Histogram(
            "framepost_frame_age_seconds",
            "From capture to receipt, as right as the clocks' offset",
            ["camera"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stage = Histogram(
            "framepost_stage_seconds",
            "What a frame's time went into: queue, decode, hook; total is receipt to result",
            ["camera", "stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )

        #: The histograms of each camera: to look them up by their labels takes most of the time.
        self._ages: dict[str, Histogram] = {}
        self._stages: dict[str, tuple[Histogram, ...]] = {}

    def received(self, frame: EncodedFrame) -> None:
        age = self._ages.get(frame.camera)
        if age is None:
            age = self._ages[frame.camera] = self._age.labels(frame.camera)
        age.observe(frame.age())

    def finished(self, result: Result) -> None:
        if not result.is_ours:  # another receiver's metrics have it
            return
        camera = result.frame.camera
        stages = self._stages.get(camera)
        if stages is None:
            stages = tuple(self._stage.labels(camera, stage) for stage in STAGES)
            self._stages[camera] = stages
        for stage, histogram in zip(STAGES, stages, strict=True):
            histogram.observe(getattr(result, stage))

    def forgotten(self, camera: str) -> None:
        self._ages.pop(camera, None)
        self._stages.pop(camera, None)
        self._age.remove_by_labels({"camera": camera})
        self._stage.remove_by_labels({"camera": camera})

    def closed(self) -> None: ...


class HubCollector(Collector):
    """Reads the hub when Prometheus asks, so that no counter is kept twice."""

    def __init__(self, hub: Hub, *, more: Iterable[Callable[[], Iterable[Metric]]] = ()) -> None:
        self._hub = hub
        self._more = tuple(more)

    def collect(self) -> Iterable[Metric]:
        counts = {
            name: CounterMetricFamily(
                f"framepost_frames_{name}", f"Frames {name}", labels=["camera"]
            )
            for name in _COUNTS
        }
        waiting = GaugeMetricFamily("framepost_frames_waiting", "Frames waiting", labels=["camera"])
        fps = GaugeMetricFamily("framepost_camera_fps", "Frames a second", labels=["camera"])
        up = GaugeMetricFamily("framepost_camera_live", "1 while frames come", labels=["camera"])
        frozen = GaugeMetricFamily(
            "framepost_camera_frozen", "1 while the frames are all the same", labels=["camera"]
        )
        idle = GaugeMetricFamily(
            "framepost_camera_idle_seconds", "Seconds since the last frame", labels=["camera"]
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
            if camera.own is None:  # another receiver tells of it
                continue
            books = camera.books()
            for name, family in counts.items():
                family.add_metric([camera.name], getattr(books, name))
            waiting.add_metric([camera.name], books.waiting)
            fps.add_metric([camera.name], camera.arrivals.per_second())
            up.add_metric([camera.name], camera.is_live())
            frozen.add_metric([camera.name], camera.state() == "frozen")
            idle.add_metric([camera.name], camera.own_age())
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
        yield from (*counts.values(), waiting, fps, up, frozen, idle, viewers, refused)
        yield from (offset, error, jumps, skewed)
        for collect in self._more:
            yield from collect()
