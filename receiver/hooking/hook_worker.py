"""HookWorker: one worker of a hook, whatever runs it; keeps its state and enters its results."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

from receiver.hooking.answer import Answer
from receiver.hooking.hook_log import HookLog
from receiver.hooking.hooks import HookSpec
from receiver.hooking.schedule import Feed, Task
from receiver.hooking.trouble import Trouble
from receiver.region import SharedFrame
from receiver.result import Result, drawn
from shared.worker import Worker

logger = logging.getLogger(__name__)

State = Literal["starting", "ready", "busy", "restarting", "failed"]
#: In which it takes frames.
UP: frozenset[State] = frozenset({"ready", "busy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSettings:
    """How a hook is run. Times are seconds."""

    spec: HookSpec
    hook_path: tuple[str, ...] = ()
    timeout: float = 10.0
    setup_timeout: float = 120.0
    #: Of the JPEG made of what the hook drew.
    quality: int = 85
    #: For OpenCV within one worker.
    threads: int = 1
    #: A process loads its hook anew when the hook's files change.
    reload: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """A worker at one moment. `since`: Unix seconds when it became (un)able to take frames."""

    hook: str
    #: The camera that the hook is for, or "*".
    camera: str
    worker: int
    state: State
    pid: int | None
    since: float
    restarts: int
    last_error: str | None
    #: Where the hook raised, if it did.
    last_traceback: str | None = None
    processed: int
    failed: int
    #: Unix seconds when the version that serves was set up.
    loaded_at: float | None = None
    #: A version is being set up, the first or one to take the place of that which serves.
    loading: bool = False
    #: How often it was given up because a frame, or setup, took too long.
    timeouts: int = 0


class HookWorker(Worker):
    """Base of the workers; `number` counts from 1 over all hooks.

    Its thread writes, any thread may call `status`.
    """

    def __init__(
        self,
        number: int,
        settings: HookSettings,
        *,
        feed: Feed,
        trouble: Trouble,
        log: HookLog,
    ) -> None:
        super().__init__(f"hook[{number}]")
        self._number = number
        self._settings = settings
        self._seat = feed.seat(self.wake)
        self._feed = feed
        self._trouble = trouble
        self._log = log
        self._state: State = "starting"
        self._pid: int | None = None
        self._since = time.time()
        self._loaded_at: float | None = None
        self._restarts = 0
        self._timeouts = 0
        self._last_error: str | None = None
        self._last_traceback: str | None = None
        self._processed = 0
        self._failed = 0

    @abstractmethod
    def wake(self) -> None:
        """End the wait in `step`: there is a frame, or a stop. Called from any thread."""

    @abstractmethod
    def reload(self) -> bool:
        """Have the hook loaded anew, while the version that serves goes on; any thread.

        False where that cannot be.
        """

    @property
    @abstractmethod
    def loading(self) -> bool:
        """Whether a version of the hook is being set up, or about to be."""

    @property
    def target(self) -> str:
        return self._settings.spec.target

    @property
    def ready(self) -> bool:
        return self._state in UP

    def status(self) -> WorkerStatus:
        spec = self._settings.spec
        return WorkerStatus(
            hook=spec.target,
            camera=spec.camera or "*",
            worker=self._number,
            state=self._state,
            pid=self._pid,
            since=self._since,
            restarts=self._restarts,
            timeouts=self._timeouts,
            last_error=self._last_error,
            last_traceback=self._last_traceback,
            processed=self._processed,
            failed=self._failed,
            loaded_at=self._loaded_at,
            loading=self.loading,
        )

    def enter(self, state: State) -> None:
        """Change the state; what is down takes no frames."""
        was_up = self.ready
        self._state = state
        if self.ready != was_up:
            self._since = time.time()
        if not self.ready:
            self._feed.leave(self._seat)

    def complain(self, sentence: str, traceback: str = "") -> None:
        self._last_error, self._last_traceback = sentence, traceback or None
        for line in self._trouble.report(sentence, traceback):
            self.note(line)

    def forget_trouble(self) -> None:
        """Begin anew: another version of the hook serves, or the first."""
        self._last_error = self._last_traceback = None
        self._trouble.forget()

    def say(self, sentence: str) -> None:
        """Put a change of the worker into the log."""
        logger.info("%s: %s", self.name, sentence)
        self.note(sentence)

    def note(self, line: str) -> None:
        """Put a line into the hook's log alone."""
        self._log.add(self.target, self._number, line, by="receiver")

    def hear(self, line: str) -> None:
        """Take a line that the hook printed."""
        self._log.add(self.target, self._number, line, by="hook")

    def abandon_task(self, task: Task) -> None:
        """Enter that the hook was ended before it was done with a taken frame; as `finish_task`."""
        if isinstance(task.frame, SharedFrame):
            task.frame.region.close()
        task.camera.abandon(task.frame, "the receiver stopped before the hook was done")

    def finish_task(self, task: Task, answer: Answer) -> None:
        """Enter what became of a taken frame; exactly once for each.

        Its feed was told before that it is done.
        """
        frame = task.frame
        if answer.error is None:
            self._processed += 1
        else:
            self._failed += 1
            self.complain(answer.error, answer.trace)
        picture = frame
        if answer.picture is not None:
            picture = drawn(frame, answer.picture, answer.width, answer.height)
        if isinstance(frame, SharedFrame):
            frame.region.close()  # or its owner's memory would be kept as long as the result
        task.camera.finish(
            Result(
                frame=frame,
                state="processed" if answer.error is None else "failed",
                value=answer.value,
                arrays={name: (dtype, tuple(shape)) for name, dtype, shape in answer.arrays},
                error=answer.error,
                traceback=answer.trace or None,
                picture=picture,
                queue=task.taken - frame.arrived,
                decode=answer.decode,
                hook=answer.hook,
            )
        )
