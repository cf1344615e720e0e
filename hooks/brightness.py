"""How bright the picture is: the simplest hook."""

from __future__ import annotations

from receiver.frame import Frame


def process(frame: Frame) -> dict[str, float]:
    return {"brightness": float(frame.reduced(8).mean())}
