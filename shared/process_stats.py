"""ProcessStats: what a process costs, as the kernel tells it, for Prometheus.

The names are those of https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics.
Linux only (proc(5)); elsewhere there are none.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """A process at one moment."""

    #: User and system time.
    cpu_seconds: float
    #: That are in memory.
    bytes: int
    threads: int
    #: Open file descriptors.
    fds: int

    @classmethod
    def read(cls, pid: int) -> Self | None:
        """Return them; None where there is no such process, or no /proc."""
        folder = Path("/proc", str(pid))
        try:
            # The name, in brackets, may hold anything; the state comes next.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            return cls(
                cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
                bytes=int(fields[21]) * _PAGE,
                threads=int(fields[17]),
                fds=len(os.listdir(folder / "fd")),
            )
        except (OSError, ValueError, IndexError):
            return None


class OwnProcess(Collector):
    """This process, and what runs in it."""

    def __init__(self, program: str) -> None:
        self._program = program

    def collect(self) -> Iterable[Metric]:
        build = GaugeMetricFamily(
            "framepost_build_info", "1; what runs here", labels=["program", "python"]
        )
        build.add_metric([self._program, platform.python_version()], 1)
        yield build
        stats = ProcessStats.read(os.getpid())
        if stats is not None:
            yield GaugeMetricFamily("process_threads", "Threads of this process", stats.threads)


def register(registry: CollectorRegistry, program: str) -> None:
    """Add the standard metrics of this process, and what it is, to a registry."""
    ProcessCollector(registry=registry)
    registry.register(OwnProcess(program))
