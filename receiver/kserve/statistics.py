"""Statistics: what was asked of each model through this door, as Triton tells it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from receiver.kserve.inference_reply import VERSION
from receiver.models import Model
from receiver.result import Result


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    #: Nanoseconds.
    times: Counter[str] = field(default_factory=Counter)
    #: Unix milliseconds.
    last: int = 0

    def add(self, what: str, seconds: float) -> None:
        self.counts[what] += 1
        self.times[what] += round(seconds * 1e9)

    def told(self, what: str) -> dict[str, int]:
        return {"count": self.counts[what], "ns": self.times[what]}


class Statistics:
    """Counts inferences and their times by model. Any thread."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    def succeeded(self, model: Model, result: Result, seconds: float) -> None:
        with self._lock:
            tally = self._tally(model)
            tally.add("success", seconds)
            tally.add("queue", result.queue)
            tally.add("compute_input", result.decode)
            tally.add("compute_infer", result.hook)
            tally.add("compute_output", max(0.0, seconds - result.total))

    def failed(self, model: Model, seconds: float) -> None:
        with self._lock:
            self._tally(model).add("fail", seconds)

    def facts(self, model: Model) -> dict[str, Any]:
        """Return $model_stat of Triton's statistics extension."""
        with self._lock:
            tally = self._tallies.get(model.name, _Tally())
            done = tally.counts["success"]
            compute = {
                name: tally.told(name)
                for name in ("compute_input", "compute_infer", "compute_output")
            }
            batches = [{"batch_size": 1, **compute}] if done else []
            ends = {name: tally.told(name) for name in ("success", "fail", "queue")}
            misses = {"cache_hit": {"count": 0, "ns": 0}, "cache_miss": {"count": 0, "ns": 0}}
            return {
                "name": model.name,
                "version": VERSION,
                "last_inference": tally.last,
                "inference_count": done,
                "execution_count": done,
                "inference_stats": {**ends, **compute, **misses},
                "batch_stats": batches,
            }

    def _tally(self, model: Model) -> _Tally:
        tally = self._tallies.setdefault(model.name, _Tally())
        tally.last = round(self._clock() * 1000)
        return tally
