"""Figures: what Prometheus is told of the recording."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from receiver.recording.recorder import Recorder


def figures(recorder: Recorder) -> Iterable[Metric]:
    """Yield the metrics, read when Prometheus asks, so that no counter is kept twice."""
    frames = CounterMetricFamily(
        "framepost_recording_frames",
        "Frames recorded, passed over (not asked for) or lost",
        labels=["camera", "outcome"],
    )
    lost = CounterMetricFamily(
        "framepost_recording_lost",
        "Frames that should be on disk and are not, by reason",
        labels=["camera", "reason"],
    )
    results = CounterMetricFamily(
        "framepost_recording_results_lost",
        "Results that came too late for their recording, or that a slow disk kept out",
        labels=["camera"],
    )
    for camera, tally in recorder.tallies().items():
        for reason, count in tally.lost.items():
            lost.add_metric([camera, reason], count)
        frames.add_metric([camera, "recorded"], tally.recorded)
        frames.add_metric([camera, "passed"], tally.passed)
        frames.add_metric([camera, "lost"], sum(tally.lost.values()))
        results.add_metric([camera], tally.results_lost)
    yield from (frames, lost, results)
    quota = recorder.quota
    yield from (
        _gauge("failing", "1 while a camera cannot be written", recorder.problem),
        _gauge("waiting_bytes", "Bytes that wait for the disk", recorder.waiting),
        _gauge("bytes", "Bytes of all recordings", quota.bytes),
        _gauge("max_bytes", "What --record-max-size allows, 0 without", quota.max_bytes),
        _gauge("oldest_seconds", "Age of the oldest recording", quota.oldest_seconds),
        _gauge("free_bytes", "Bytes left on the disk", recorder.shelf.free()),
    )
    removed = CounterMetricFamily(
        "framepost_recording_removed", "Recordings that made room for newer ones"
    )
    removed.add_metric([], quota.removed)
    yield removed


def _gauge(name: str, told: str, value: float | str | None) -> Metric:
    gauge = GaugeMetricFamily(f"framepost_recording_{name}", told)
    gauge.add_metric([], float(bool(value)) if isinstance(value, str) else value or 0)
    return gauge
