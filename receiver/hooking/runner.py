"""Runner: every hook with its own workers, fed from the hub or from the bus."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any, Literal, Self

from prometheus_client.metrics_core import Metric

from receiver.hooking import collector, hooks
from receiver.hooking.hook_log import HookLog
from receiver.hooking.hook_worker import UP, HookSettings, HookWorker, WorkerStatus
from receiver.hooking.hooks import HookError, HookSpec
from receiver.hooking.process_worker import ProcessWorker
from receiver.hooking.schedule import Feeds
from receiver.hooking.thread_worker import ThreadWorker
from receiver.hooking.trouble import Trouble
from shared.errors import FramepostError

Isolation = Literal["process", "thread"]
#: Seconds; to start a process and load a model costs more than most requests.
_RELOAD_EVERY = 2.0


class ReloadRefused(FramepostError):
    """Raised with one sentence when a hook is not loaded anew now; `after` seconds it may be."""

    def __init__(self, problem: str, *, after: float | None = None) -> None:
        super().__init__(problem)
        self.after = after


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start nothing yet; raise HookError for a hook that does not exist."""
        self._feeds = feeds
        self._cameras = {spec.camera for spec in specs}
        self._workers: list[HookWorker] = []
        self._clock = clock
        self._reloading = threading.Lock()
        #: By hook, when it may be loaded anew again.
        self._reload_from: dict[str, float] = {}
        #: What the hooks printed, and what was said of them.
        self.log = HookLog([spec.target for spec in specs])
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
                self._workers.append(
                    kind(number, settings, feed=feed, trouble=trouble, log=self.log)
                )

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

    def facts(self) -> list[dict[str, Any]]:
        """Return the status of every worker, JSON-able."""
        return [asdict(status) for status in self.status()]

    def reload(self, target: str | None = None) -> list[WorkerStatus]:
        """Have a hook, or all, loaded anew as when a file is saved; return their workers.

        The version that serves goes on until the new one is set up, and if that fails. Raise
        ReloadRefused.
        """
        concerned = [each for each in self._workers if target in (None, each.target)]
        with self._reloading:
            now = self._clock()
            early = max(
                (self._reload_from.get(each.target, now) - now for each in concerned), default=0.0
            )
            if early > 0:
                raise ReloadRefused(
                    f"reload: expected at most one in {_RELOAD_EVERY:g} s", after=early
                )
            for worker in concerned:
                if worker.loading:
                    raise ReloadRefused(f"reload: {worker.target} is being loaded already")
            asked = [worker.reload() for worker in concerned]
            if not all(asked):
                raise ReloadRefused(
                    "reload: hooks in threads (--isolation thread) cannot be loaded anew; "
                    "restart the receiver"
                )
            self._reload_from |= {worker.target: now + _RELOAD_EVERY for worker in concerned}
        return [worker.status() for worker in concerned]

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        return collector.collect(self.status())

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
