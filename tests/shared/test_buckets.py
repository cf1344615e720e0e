"""Buckets say what the library's own histogram says."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import HistogramMetricFamily

from shared.buckets import Buckets

BOUNDS = (0.001, 0.25, 1.0, 10e3, 10e6)


def shown(buckets: Buckets) -> set[tuple[str, str | None, float]]:
    family = HistogramMetricFamily("spent_seconds", "...", labels=["camera"])
    buckets.add_to(family, ["door"])
    return {(sample.name, sample.labels.get("le"), sample.value) for sample in family.samples}


def test_values_are_counted_as_the_library_counts_them() -> None:
    registry = CollectorRegistry()
    theirs = Histogram("spent_seconds", "...", buckets=BOUNDS, registry=registry)
    ours = Buckets(BOUNDS)
    for value in (-1.0, 0.0, 0.001, 0.0011, 0.25, 0.9, 1.0, 9e3, 1e9):
        theirs.observe(value)
        ours.observe(value)

    expected = {
        (sample.name, sample.labels.get("le"), sample.value)
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert shown(ours) == expected


def test_no_value_is_lost_between_threads() -> None:
    buckets = Buckets(BOUNDS)

    def enter() -> None:
        for _ in range(5000):
            buckets.observe(0.5)

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ("spent_seconds_count", None, 20_000) in shown(buckets)
    assert ("spent_seconds_sum", None, 10_000) in shown(buckets)
