"""Summary: what the figures of a run depend on, and where they are kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent.parent / "results"
_PACKAGES = (
    "av", "Flask", "granian", "imagezmq", "litserve", "numpy", "opencv-python", "pyzmq", "redis",
    "requests", "simplejpeg", "tritonclient", "vidgear",
)  # fmt: skip


def milliseconds(samples: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of durations in seconds, in milliseconds."""
    p50, p95, p99 = np.percentile(np.array(samples) * 1000, (50, 95, 99))
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}


def environment() -> dict[str, Any]:
    """Return what the figures depend on: machine and versions."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def write(name: str, content: Mapping[str, Any]) -> Path:
    """Write the results as JSON and return where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
