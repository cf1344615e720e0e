"""BusCollector: the bus, and the hooks of a worker, for Prometheus (`framepost_`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.bus.bus import Bus
from receiver.hooking.hook_worker import WorkerStatus


class BusCollector(Collector):
    """Reads the bus when Prometheus asks."""

    def __init__(self, bus: Bus, *, hooks: Callable[[], Sequence[WorkerStatus]] = tuple) -> None:
        """`hooks` tells of those whose frames nobody else counts here: a worker's."""
        self._bus = bus
        self._hooks = hooks

    def collect(self) -> Iterable[Metric]:
        bus = self._bus
        yield GaugeMetricFamily("framepost_bus_up", "1 while the bus works", bus.link.is_up)
        yield GaugeMetricFamily("framepost_bus_members", "Processes on it", len(bus.members.all))
        yield GaugeMetricFamily(
            "framepost_bus_outstanding", "Frames whose results are due", bus.outstanding
        )
        yield CounterMetricFamily(
            "framepost_bus_outages", "Times that it went down", bus.link.outages
        )
        yield CounterMetricFamily(
            "framepost_bus_frames_lost", "Frames that it did not take", bus.frames_lost
        )
        yield CounterMetricFamily(
            "framepost_bus_results_lost", "Results that it did not take", bus.feeds.returns.lost
        )
        done = CounterMetricFamily(
            "framepost_worker_frames", "Frames that hooks had", labels=["worker", "state"]
        )
        for status in self._hooks():
            done.add_metric([str(status.worker), "processed"], status.processed)
            done.add_metric([str(status.worker), "failed"], status.failed)
        yield done
