"""Results without a hook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from receiver.result import Result
from shared.frame import EncodedFrame

MakeResult = Callable[..., Result]


@pytest.fixture
def make_result() -> MakeResult:
    """Return a maker of results, of frames that are no pictures."""

    def make(
        seq: int = 0, *, camera: str = "cam1", value: Any = None, error: str | None = None
    ) -> Result:
        frame = EncodedFrame(
            camera=camera, epoch="e1", seq=seq, captured_at=1000.0, data=b"x", width=1, height=1
        )
        return Result(
            frame=frame,
            state="failed" if error else "processed",
            value=value,
            error=error,
            picture=frame,
            queue=0.001,
            decode=0.002,
            hook=0.003,
        )

    return make
