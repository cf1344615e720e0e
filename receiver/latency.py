"""Latencies: how long a camera's newest frames took, stage by stage, as percentiles."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from receiver.result import Result

STAGES = ("queue", "decode", "hook", "total")
_SAMPLES = 512


class Latencies:
    """The stages of the last few hundred results, in seconds. Any thread may add or look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: deque[tuple[float, float, float, float]] = deque(maxlen=_SAMPLES)

    def add(self, result: Result) -> None:
        with self._lock:
            self._samples.append((result.queue, result.decode, result.hook, result.total))

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Return {stage: {"p50": ms, "p95": ms, "p99": ms}}; empty before the first result."""
        with self._lock:
            samples = np.array(self._samples)
        if not len(samples):
            return {}
        rows = np.percentile(samples, (50, 95, 99), axis=0).T * 1000
        names = ("p50", "p95", "p99")
        return {
            stage: {name: round(float(ms), 2) for name, ms in zip(names, row, strict=True)}
            for stage, row in zip(STAGES, rows, strict=True)
        }
