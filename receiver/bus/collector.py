"""BusCollector: the bus, for Prometheus (`framepost_`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from receiver.bus.bus import Bus


class BusCollector(Collector):
    """Reads the bus when Prometheus asks."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

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
