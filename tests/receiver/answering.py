"""Answering: a hook for the tests, that answers on the thread that publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from receiver.camera import Camera
from receiver.hooking.hook_worker import State, WorkerStatus
from receiver.hub import Hub
from receiver.region import SharedFrame
from receiver.result import Result
from shared.frame import EncodedFrame


class Answering:
    """Answers each frame with `answer(frame)`, keywords of Result; None gives none."""

    def __init__(self, hub: Hub) -> None:
        #: What came; shared memory as it was when it came.
        self.frames: list[EncodedFrame] = []
        self.answer: Callable[[EncodedFrame], dict[str, Any] | None] = lambda _: {}
        #: Take no frame at all.
        self.leave_waiting = False
        hub.listen(self._take)

    def _take(self, camera: Camera) -> None:
        if self.leave_waiting:
            return
        frame = camera.pending.take()
        assert frame is not None
        self.frames.append(frame.copied() if isinstance(frame, SharedFrame) else frame)
        answer = self.answer(frame)
        if answer is None:
            return
        values: dict[str, Any] = {"state": "processed", "picture": frame, **answer}
        camera.finish(Result(frame=frame, queue=0.001, decode=0.002, hook=0.003, **values))


def worker(
    hook: str, camera: str = "*", state: State = "ready", last_error: str | None = None
) -> WorkerStatus:
    """Return what the runner tells of a worker."""
    return WorkerStatus(
        hook=hook,
        camera=camera,
        worker=1,
        state=state,
        pid=None,
        since=0.0,
        restarts=0,
        last_error=last_error,
        processed=0,
        failed=0,
    )
