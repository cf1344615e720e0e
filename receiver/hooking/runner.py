"""Runner: every hook with its own workers, fed from the hub or from the bus."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Literal, Self

from receiver.hooking import hooks
from receiver.hooking.hook_worker import UP, HookSettings, HookWorker, WorkerStatus
from receiver.hooking.hooks import HookError, HookSpec
from receiver.hooking.process_worker import ProcessWorker
from receiver.hooking.schedule import Feeds
from receiver.hooking.thread_worker import ThreadWorker
from receiver.hooking.trouble import Trouble

Isolation = Literal["process", "thread"]


class Runner:
    """Run hooks on the newest frames of cameras.

    Each hook has `workers` workers of its own, so a slow hook takes nothing from another. All
    methods may be called from any thread.
    """

    def __init__(
        self,
        feeds: Feeds,
        specs: Sequence[HookSpec],
        *,
        workers: int = 1,
        isolation: Isolation = "process",
        timeout: float = 10.0,
        setup_timeout: float = 120.0,
        hook_path: Sequence[str] = (),
        quality: int = 85,
    ) -> None:
        """Start nothing yet; raise HookError for a hook that does not exist."""
        self._feeds = feeds
        self._cameras = {spec.camera for spec in specs}
        self._workers: list[HookWorker] = []
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        threads = max(1, (cores or 1) // max(1, workers * len(specs)))
        kind = ProcessWorker if isolation == "process" else ThreadWorker
        check(specs, hook_path)
        for spec in specs:
            settings = HookSettings(
                spec=spec,
                hook_path=tuple(hook_path),
                timeout=timeout,
                setup_timeout=setup_timeout,
                quality=quality,
                threads=threads,
            )
            feed = feeds.feed(spec.camera)
            trouble = Trouble(f"hook {spec.target}")
            for _ in range(workers):
                number = len(self._workers) + 1
                self._workers.append(kind(number, settings, feed=feed, trouble=trouble))

    def start(self) -> Self:
        for worker in self._workers:
            worker.start()
        self._feeds.start()
        return self

    def stop(self, timeout: float = 3.0) -> bool:
        """End every hook, all at the same time; False when a worker did not end in time."""
        end = time.monotonic() + timeout
        for worker in self._workers:
            worker.ask_to_stop()
        ended = [worker.stop(max(0.0, end - time.monotonic())) for worker in self._workers]
        self._feeds.stop()
        return all(ended)

    def status(self) -> list[WorkerStatus]:
        return [worker.status() for worker in self._workers]

    def handles(self, camera: str) -> bool:
        """Say whether a hook gets the frames of the camera of that name."""
        return camera in self._cameras or None in self._cameras

    @property
    def ready(self) -> bool:
        """Whether every hook has a worker that takes frames."""
        up = {status.camera for status in self.status() if status.state in UP}
        return all((camera or "*") in up for camera in self._cameras)

    @property
    def error(self) -> BaseException | None:
        """The bug that ended a worker's thread, if one did."""
        return next((worker.error for worker in self._workers if worker.error), None)


def check(specs: Sequence[HookSpec], hook_path: Sequence[str]) -> None:
    """Raise HookError unless every hook exists and no camera has two; run nothing of them."""
    cameras = [spec.camera for spec in specs]
    for spec in specs:
        hooks.locate(spec.target, hook_path)
        if cameras.count(spec.camera) > 1:
            whom = (
                f"camera {spec.camera}" if spec.camera else "the cameras without one of their own"
            )
            raise HookError(f"hook {spec.target}: expected one hook for {whom}, got more")
