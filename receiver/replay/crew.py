"""Crew: the workers of a replay, as many as it has work for."""

from __future__ import annotations

import os
import time
from typing import Literal

from receiver.hooking.hook_log import HookLog
from receiver.hooking.hook_worker import UP, HookSettings, HookWorker
from receiver.hooking.hooks import HookError
from receiver.hooking.process_worker import ProcessWorker
from receiver.hooking.schedule import Feed
from receiver.hooking.thread_worker import ThreadWorker
from receiver.hooking.trouble import Trouble
from shared.backoff import Backoff

#: Seconds before a hook that died is started again; it may die of every frame.
_PAUSE = 0.1


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """Start one worker; when its hook is set up, and so known, the others.

    For the thread that replays.
    """

    def __init__(
        self,
        settings: HookSettings,
        feed: Feed,
        *,
        workers: int,
        posts: int,
        isolation: Literal["process", "thread"],
    ) -> None:
        """`posts`: so many workers have something to do where the hook is stateful."""
        self._settings = settings
        self._feed = feed
        self._size = workers
        self._posts = posts
        self._kind = ProcessWorker if isolation == "process" else ThreadWorker
        self._trouble = Trouble(f"hook {settings.spec.target}")
        self._log = HookLog([settings.spec.target])
        self._workers: list[HookWorker] = []
        self._is_whole = False

    def start(self) -> None:
        self._add()

    def look(self) -> None:
        """Let the crew grow; raise HookError when the hook cannot be set up.

        Raise what ended a worker's thread, which is a bug.
        """
        found = [worker.status() for worker in self._workers]
        for worker, status in zip(self._workers, found, strict=True):
            if worker.error is not None:
                raise worker.error
            if status.state == "failed":
                raise HookError(str(status.last_error))
        if not self._is_whole and found[0].state in UP:
            self._is_whole = True
            for _ in range((self._posts if self._feed.stateful else self._size) - 1):
                self._add()

    def stop(self, timeout: float = 3.0) -> None:
        end = time.monotonic() + timeout
        for worker in self._workers:
            worker.ask_to_stop()
        for worker in self._workers:
            worker.stop(max(0.0, end - time.monotonic()))

    def _add(self) -> None:
        worker = self._kind(
            len(self._workers) + 1,
            self._settings,
            feed=self._feed,
            trouble=self._trouble,
            log=self._log,
            backoff=Backoff(_PAUSE, _PAUSE),
        )
        self._workers.append(worker)
        worker.start()
