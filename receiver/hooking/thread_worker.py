"""ThreadWorker: runs a hook in a thread of the receiver, for a debugger or a tiny machine."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from receiver.frame import Frame
from receiver.hooking import hooks, traces
from receiver.hooking.answer import Answer, ask
from receiver.hooking.hook_log import HookLog
from receiver.hooking.hook_worker import HookSettings, HookWorker
from receiver.hooking.memory import Memory
from receiver.hooking.schedule import Feed, Task
from receiver.hooking.trouble import Trouble
from receiver.region import SharedFrame
from shared.backoff import Backoff
from shared.errors import FrameError

_GRACE = 2.0


class ThreadWorker(HookWorker):
    """Run the hook in this process: no isolation whatever.

    A hook that crashes takes the receiver with it, one that holds the interpreter's lock holds up
    everything, a changed file is not loaded anew, windows need luck. A thread cannot be killed:
    one that is overdue is abandoned (counted, and left to run on for as long as it likes), its
    frame has failed, and a new thread begins with a new hook.
    """

    def __init__(
        self,
        number: int,
        settings: HookSettings,
        *,
        feed: Feed,
        trouble: Trouble,
        log: HookLog,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(number, settings, feed=feed, trouble=trouble, log=log)
        self._backoff = backoff or Backoff(first=0.1, ceiling=15.0)
        self._inbox: SimpleQueue[_Said | None] = SimpleQueue()
        self._actor: _Actor | None = None
        self._task: Task | None = None
        self._due = 0.0
        self._start_at = 0.0

    def wake(self) -> None:
        self._inbox.put(None)

    def reload(self) -> bool:
        return False  # what Python has once imported into a process stays in it

    @property
    def loading(self) -> bool:
        return self._actor is not None and not self.ready

    def step(self) -> None:
        now = time.monotonic()
        if self._actor is None and now >= self._start_at:
            self._actor = _Actor(self.name, self._settings, self._inbox)
            self._due = now + self._settings.setup_timeout
        if self._actor is not None and self.ready and self._task is None:
            self._task = self._feed.take(self._seat)
            self.enter("ready" if self._task is None else "busy")
            if self._task is not None:
                self._due = time.monotonic() + self._settings.timeout
                self._actor.inbox.put(self._task)
        self._wait()
        waiting = self._task is not None or not self.ready
        if self._actor is not None and waiting and time.monotonic() >= self._due:
            self._abandon()

    def close(self) -> None:
        actor, end = self._actor, time.monotonic() + _GRACE
        if actor is not None:
            actor.inbox.put(None)
            actor.thread.join(_GRACE)
        while self._task is not None and self._actor is not None and time.monotonic() < end:
            self._wait(0.05)
        if self._task is not None:
            task, self._task = self._task, None
            self._feed.done(task)
            self.abandon_task(task)

    def _wait(self, seconds: float | None = None) -> None:
        if seconds is None:
            due = self._due if self._actor is not None else self._start_at
            idle = self._actor is not None and self.ready and self._task is None
            seconds = 1.0 if idle else max(0.0, due - time.monotonic())
        try:
            said = self._inbox.get(timeout=seconds)
        except Empty:
            return
        if said is None or said.actor is not self._actor:
            return
        if isinstance(said.what, Answer):
            if self._task is not None:
                self._backoff.reset()
                self._finish(said.what)
        elif isinstance(said.what, hooks.HookError):
            self._fail(str(said.what), said.what.trace)
        else:
            self.say(f"{self.target} is ready (a thread)")
            self._loaded_at = time.time()
            self._feed.stateful = said.what.stateful
            if self._state != "restarting":
                self.forget_trouble()
            self.enter("ready")

    def _abandon(self) -> None:
        self._timeouts += 1
        if self._task is None:
            self._fail(f"setup took longer than {self._settings.setup_timeout:g} s")
            return
        self._finish(
            Answer(
                error=f"hook took longer than {self._settings.timeout:g} s and was left to run on"
            )
        )
        self._start_later()
        self.enter("restarting")

    def _fail(self, problem: str, trace: str = "") -> None:
        self.complain(problem, trace)
        self._start_later()
        self.enter("failed")

    def _start_later(self) -> None:
        if self._actor is not None:
            self._actor.inbox.put(None)
        self._actor = self._loaded_at = None
        self._restarts += 1
        self._start_at = time.monotonic() + self._backoff.next()

    def _finish(self, answer: Answer) -> None:
        task, self._task = self._task, None
        assert task is not None
        self._feed.done(task)
        self.finish_task(task, answer)


@dataclass(frozen=True, slots=True)
class _Said:
    actor: _Actor
    what: Answer | hooks.Hook | hooks.HookError


class _Actor:
    """The thread that the hook has; it says into `outbox`, and ends at None in its inbox."""

    def __init__(
        self, name: str, settings: HookSettings, outbox: SimpleQueue[_Said | None]
    ) -> None:
        self.inbox: SimpleQueue[Task | None] = SimpleQueue()
        self._settings = settings
        self._outbox = outbox
        self.thread = threading.Thread(target=self._run, name=f"{name}-actor", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        settings = self._settings
        try:
            hook = hooks.load(settings.spec.target, settings.hook_path)
            hooks.set_up(hook)
        except hooks.HookError as exc:
            self._outbox.put(_Said(self, exc))
            return
        self._outbox.put(_Said(self, hook))
        memory = Memory(hook)
        while (task := self.inbox.get()) is not None:
            try:
                frame = task.frame
                if isinstance(frame, SharedFrame):  # mapped, it could end the receiver
                    frame = frame.copied()
                memory.begin(frame.camera, is_new=task.is_new)
                answer = ask(hook, Frame(frame), settings.quality)
            except FrameError as exc:
                answer = Answer(error=str(exc))
            except hooks.HookError as exc:
                answer = Answer(error=str(exc), trace=exc.trace)
            except BaseException as exc:  # noqa: BLE001  # sys.exit ends a process; here is none
                error, trace = traces.describe(exc, hook.file), traces.full(exc)
                answer = Answer(error=error, trace=trace)
            self._outbox.put(_Said(self, answer))
        hooks.tear_down(hook)
