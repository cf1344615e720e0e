"""Look: what a receiver says of its cameras and hooks at one moment, and what changed since."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: What a camera's frames may be lost to, as its counters are named.
LOSSES = ("superseded", "failed", "refused", "duplicate")
STAGES = ("queue", "decode", "hook", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLook:
    """One camera. Rates are per second since the look before, None where there was none."""

    camera: str
    state: str
    fps: float
    processed: float | None
    lost: dict[str, float] | None
    #: Seconds since the last frame.
    age: float | None
    width: int | None
    height: int | None
    viewers: int
    #: Milliseconds by stage and percentile, such as ["hook"]["p95"].
    latency: dict[str, dict[str, float]]

    @property
    def losing(self) -> float:
        """Frames lost a second, to whatever; 0 where it is not known."""
        return sum((self.lost or {}).values())

    def latency_of(self, stage: str, percentile: str) -> float | None:
        """Return milliseconds, None where the receiver does not say."""
        return self.latency.get(stage, {}).get(percentile)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookLook:
    """One worker of a hook."""

    hook: str
    camera: str
    worker: int
    state: str
    restarts: int
    processed: int
    failed: int
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All of them; `at` is monotonic seconds."""

    at: float
    cameras: list[CameraLook]
    hooks: list[HookLook]
    #: The counters, by camera, for the look after this one.
    counts: dict[str, dict[str, int]]

    def facts(self) -> dict[str, Any]:
        """Return it JSON-able."""
        return {
            "cameras": [asdict(camera) for camera in self.cameras],
            "hooks": [asdict(hook) for hook in self.hooks],
        }


def read_look(
    cameras: list[Any], hooks: list[Any], *, at: float, before: Look | None = None
) -> Look:
    """Read what GET /cameras and GET /hooks list; raise TypeError, ValueError or KeyError.

    What comes is taken for nobody's friend: control characters are made visible.
    """
    counts = {str(each["camera"]): _counts(each) for each in cameras}
    return Look(
        at=at,
        cameras=[_camera(each, counts, at, before) for each in cameras],
        hooks=[_hook(each) for each in hooks],
        counts=counts,
    )


def plain(text: object) -> str:
    """Return the text without what would move a terminal's cursor, ring or turn its writing."""
    return "".join("�" if unicodedata.category(char)[0] == "C" else char for char in str(text))


def _camera(
    said: Mapping[str, Any], counts: Mapping[str, dict[str, int]], at: float, before: Look | None
) -> CameraLook:
    name = str(said["camera"])
    then = before.counts.get(name) if before else None
    processed, lost = None, None
    if before is not None and then is not None and at > before.at:
        # A receiver that was started again counts from 0.
        rates = {key: max(0, n - then[key]) / (at - before.at) for key, n in counts[name].items()}
        processed, lost = rates["processed"], {reason: rates[reason] for reason in LOSSES}
    return CameraLook(
        camera=plain(name),
        state=plain(said["state"]),
        fps=float(said["fps"]),
        processed=processed,
        lost=lost,
        age=_number(said["age_seconds"]),
        width=said["width"] and int(said["width"]),
        height=said["height"] and int(said["height"]),
        viewers=int(said["viewers"]),
        latency={
            plain(stage): {plain(name): float(ms) for name, ms in percentiles.items()}
            for stage, percentiles in said["latency"].items()
        },
    )


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(said[name]) for name in ("processed", *LOSSES)}


def _hook(said: Mapping[str, Any]) -> HookLook:
    error = said["last_error"]
    return HookLook(
        hook=plain(said["hook"]),
        camera=plain(said["camera"]),
        worker=int(said["worker"]),
        state=plain(said["state"]),
        restarts=int(said["restarts"]),
        processed=int(said["processed"]),
        failed=int(said["failed"]),
        last_error=None if error is None else plain(error),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
