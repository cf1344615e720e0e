"""Listeners: all of the receiver's listeners, started, looked at and stopped together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from receiver.desk import Desk
from receiver.listeners.contract import Way, Work

#: Seconds for a stop: to write the rest, and to give up.
_LIMIT = 0.7
_LABELS = ["url", "topic"]


class Listeners:
    """What listens on each way, and what answers there; none waits for another. Any thread."""

    def __init__(self, ways: Sequence[Way], desk: Desk) -> None:
        """The ways' answers observe the hub already."""
        self._answers = [way.answers for way in ways if way.answers is not None]
        self._listeners = [way.listen(desk) for way in ways]

    def start(self) -> None:
        for worker in (*self._answers, *self._listeners):
            worker.start()

    def drain(self) -> None:
        """Take no more frames."""
        for listener in self._listeners:
            listener.ask_to_stop()

    def stop(self) -> None:
        """Write the last results, as far as that is done within a second, and end."""
        workers: list[Work] = [*self._listeners, *self._answers]
        end = time.monotonic() + _LIMIT
        for worker in workers:
            worker.ask_to_stop()
        for one in self._answers:
            if not one.join(max(0.0, end - time.monotonic())):
                one.interrupt()
        for worker in workers:
            worker.stop(timeout=1.0)

    @property
    def error(self) -> BaseException | None:
        """What ended one of the threads, if something did."""
        workers: list[Work] = [*self._listeners, *self._answers]
        return next((worker.error for worker in workers if worker.error), None)

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        up = GaugeMetricFamily("framepost_listener_up", "1 while it listens", labels=_LABELS)
        reconnects = CounterMetricFamily(
            "framepost_listener_reconnects", "Times it had to begin anew", labels=_LABELS
        )
        messages = CounterMetricFamily(
            "framepost_listener_messages",
            "Messages on its topic, by what became of the frame",
            labels=[*_LABELS, "outcome"],
        )
        results = CounterMetricFamily(
            "framepost_listener_results",
            "Results for its cameras, by whether they were written",
            labels=[*_LABELS, "outcome"],
        )
        datagrams = CounterMetricFamily(
            "framepost_listener_datagrams",
            "Datagrams, by what became of each",
            labels=[*_LABELS, "outcome"],
        )
        repaired = CounterMetricFamily(
            "framepost_listener_repaired",
            "Lost datagrams whose part of a frame was made from parity",
            labels=_LABELS,
        )
        for listener in self._listeners:
            status = listener.status()
            labels = [status.url, status.topic]
            up.add_metric(labels, status.is_up)
            reconnects.add_metric(labels, status.reconnects)
            for outcome, count in status.outcomes.items():
                messages.add_metric([*labels, outcome], count)
            for written, count in status.results.items():
                results.add_metric([*labels, written], count)
            for became, count in status.datagrams.items():
                datagrams.add_metric([*labels, became], count)
            if status.repaired is not None:
                repaired.add_metric(labels, status.repaired)
        yield from (up, reconnects, messages, results, datagrams, repaired)
