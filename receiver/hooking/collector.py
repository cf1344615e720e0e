"""What Prometheus is told of this process's hooks, and of what their processes cost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from receiver.hooking.hook_worker import UP, State, WorkerStatus
from shared.process_stats import ProcessStats

_LABELS = ["hook", "worker"]
_PREFIX = "framepost_hook"


def collect(statuses: Iterable[WorkerStatus]) -> Iterable[Metric]:
    """Yield the metrics of these workers. A hook's label is its name without folders."""
    up = _gauge("up", "1 while this worker of a hook takes frames")
    state = _gauge("state", "1 for the state that it is in", "state")
    restarts = _counter("restarts", "Times it was started anew after it had failed")
    timeouts = _counter("timeouts", "Times it was given up for taking too long")
    frames = _counter("frames", "Frames that it had, by what became of them", "outcome")
    cpu = _counter("process_cpu_seconds", "CPU of its process, user and system")
    memory = _gauge("process_resident_memory_bytes", "Memory of its process")
    threads = _gauge("process_threads", "Threads of its process")
    fds = _gauge("process_open_fds", "Open file descriptors of its process")
    for status in statuses:
        labels = [PurePath(status.hook).name, str(status.worker)]
        up.add_metric(labels, status.state in UP)
        for each in get_args(State):
            state.add_metric([*labels, each], status.state == each)
        restarts.add_metric(labels, status.restarts)
        timeouts.add_metric(labels, status.timeouts)
        frames.add_metric([*labels, "processed"], status.processed)
        frames.add_metric([*labels, "failed"], status.failed)
        stats = None if status.pid is None else ProcessStats.read(status.pid)
        if stats is not None:
            cpu.add_metric(labels, stats.cpu_seconds)
            memory.add_metric(labels, stats.bytes)
            threads.add_metric(labels, stats.threads)
            fds.add_metric(labels, stats.fds)
    yield from (up, state, restarts, timeouts, frames, cpu, memory, threads, fds)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=[*_LABELS, *labels])


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=[*_LABELS, *labels])
