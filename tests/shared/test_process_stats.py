"""What a process costs, against what psutil says of it."""

from __future__ import annotations

import os
import platform

import psutil
import pytest
from prometheus_client import CollectorRegistry

from shared import process_stats
from shared.process_stats import ProcessStats


def test_a_process_is_read_as_psutil_reads_it() -> None:
    theirs = psutil.Process()
    ours = ProcessStats.read(os.getpid())

    assert ours is not None
    assert ours.cpu_seconds == pytest.approx(sum(theirs.cpu_times()[:2]), abs=0.5)
    assert ours.bytes == pytest.approx(theirs.memory_info().rss, rel=0.1)
    assert ours.threads == theirs.num_threads()
    assert abs(ours.fds - theirs.num_fds()) <= 2  # to look takes some


def test_a_process_that_is_gone_has_none() -> None:
    assert ProcessStats.read(2**22 + 1) is None


def test_a_registry_gets_the_standard_names_and_what_runs() -> None:
    registry = CollectorRegistry()
    process_stats.register(registry, "sender")

    names = {sample.name for family in registry.collect() for sample in family.samples}
    assert {"process_cpu_seconds_total", "process_open_fds", "process_threads"} <= names
    labels = {"program": "sender", "python": platform.python_version()}
    assert registry.get_sample_value("framepost_build_info", labels) == 1
