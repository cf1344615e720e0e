"""ProcessWorker: runs a hook in a child process; survives whatever the hook does to it."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from receiver.child.child import Child
from receiver.child.pipe import PipeClosed
from receiver.child.switchboard import Message, Switchboard
from receiver.hooking.answer import Answer
from receiver.hooking.hook_worker import HookSettings, HookWorker
from receiver.hooking.schedule import Feed, Task
from receiver.hooking.trouble import Trouble
from receiver.hooking.watch import Watch
from receiver.region import SharedFrame
from shared.backoff import Backoff

logger = logging.getLogger(__name__)

#: Seconds for the frame at hand, and for teardown, when a hook has to end.
GRACE = 2.0
#: For a hanging hook to print where it hangs.
_LAST_WORDS = 0.1
#: As many seconds as a system's wait can bear.
_NEVER = 1e6


class ProcessWorker(HookWorker):
    """Keep one child serving, and put a new one in its place when the hook's files change.

    One thread does all: in `step` it waits for whatever comes first of a frame, an answer, a line
    of output, a child's end, a deadline. `_child` serves; `_next` is set up to take its place;
    those in `_retired` have been told to end, and are killed at the time that stands with them.

    When an answer comes, the hook gets its next frame first, and works while the answer is entered.
    """

    def __init__(
        self,
        number: int,
        settings: HookSettings,
        *,
        feed: Feed,
        trouble: Trouble,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(number, settings, feed=feed, trouble=trouble)
        self._backoff = backoff or Backoff(first=0.1, ceiling=15.0)
        self._watch = Watch() if settings.reload else Watch(_NEVER)
        self._board = Switchboard()
        self._child: Child | None = None
        self._next: Child | None = None
        #: The next child's files, once it is set up.
        self._next_files: list[str] | None = None
        #: The files whose change it is started for.
        self._edited = ""
        self._retired: dict[Child, float] = {}
        self._task: Task | None = None
        #: Monotonic: when an answer or a setup is overdue, and when to start anew.
        self._answer_due = self._setup_due = self._start_at = 0.0

    def wake(self) -> None:
        self._board.ring()

    def open(self) -> None:
        self._board.open()

    def step(self) -> None:
        if self._child is None and self._next is None and time.monotonic() >= self._start_at:
            self._start()
        if self._child is not None and self._task is None:
            self._take(self._child)
        for child, message in self._board.wait(self._next_deadline()):
            self._hear(child, message)
        self._check_deadlines()
        changed = self._watch.changed()
        if changed:
            self._edited = ", ".join(Path(file).name for file in changed)
            self._start()
        if self._next_files is not None and self._task is None:
            self._put_in_place(self._next_files)

    def close(self) -> None:
        self.finish()  # nothing more is taken
        if self._next is not None:
            self._next.kill()
            self._board.bury(self._next)
            self._next = None
        end = time.monotonic() + GRACE
        if self._child is not None:
            self._child.pipe.end()  # it answers the frame at hand before it reads this
        while self._task is not None and time.monotonic() < end:
            for child, message in self._board.wait(end):
                self._hear(child, message)
        if self._task is not None:
            self._answer(Answer(error="the receiver stopped before the hook was done"))
        if self._child is not None:
            self._retired[self._child] = end
            self._child = None
        while self._retired:
            for child, message in self._board.wait(end):
                self._hear(child, message)
            self._check_deadlines()
        self._board.close()

    def _start(self) -> None:
        """Start a child to come next, in place of one that was to come next."""
        if self._next is not None:
            self._next.kill()
            self._board.bury(self._next)
        settings = self._settings
        self._next = self._next_files = None
        try:
            self._next = Child(
                "receiver.hooking.hook_process",
                {
                    "target": settings.spec.target,
                    "hook_path": settings.hook_path,
                    "quality": settings.quality,
                },
                label=self.name,
                threads=settings.threads,
            )
        except OSError as exc:
            self._reject(f"cannot start a process ({exc.strerror})")
            return
        self._setup_due = time.monotonic() + settings.setup_timeout
        self._board.add(self._next)

    def _put_in_place(self, files: list[str]) -> None:
        """Let the next child serve, and the former one end."""
        former, self._child, self._next, self._next_files = self._child, self._next, None, None
        assert self._child is not None
        if former is not None:
            former.pipe.end()
            self._retired[former] = time.monotonic() + GRACE
        self._watch.follow(files)
        self._pid = self._child.pid
        if self._edited:
            logger.info("%s: %s changed, loaded anew", self.name, self._edited)
        elif self._state != "restarting":
            target = self._settings.spec.target
            logger.info("%s: %s is ready (process %d)", self.name, target, self._pid)
        if self._edited or self._state != "restarting":
            self.forget_trouble()
        self._edited = ""
        self.enter("ready")

    def _reject(self, problem: str, trace: str = "") -> None:
        """Show why the next child does not come, and let the former, or a later one, serve."""
        self._next = None
        if self._child is not None:
            self.complain(f"{problem}; the former version goes on", trace)
        else:
            self.complain(problem, trace)
            self._start_later("failed")

    def _start_later(self, state: Literal["restarting", "failed"]) -> None:
        self._child = self._pid = None
        self._restarts += 1
        self._start_at = time.monotonic() + self._backoff.next()
        self.enter(state)

    def _take(self, child: Child) -> None:
        self._task = self._feed.take(self._seat)
        self.enter("ready" if self._task is None else "busy")
        if self._task is None:
            return
        self._answer_due = time.monotonic() + self._settings.timeout
        frame = self._task.frame
        with suppress(PipeClosed):  # then its end is what we hear next
            region = frame.region if isinstance(frame, SharedFrame) else None
            header = frame.facts() | ({"is_new": True} if self._task.is_new else {})
            child.pipe.send(header, frame.data, region=region)

    def _hear(self, child: Child, message: Message) -> None:
        if message is None:
            self._lose(child)
            return
        header, body = message
        if child is self._next and "error" in header:
            self._watch.also(header["files"])
            self._retired[child] = time.monotonic() + GRACE
            self._reject(header["error"], header["trace"])
        elif child is self._next:
            self._feed.stateful = header["stateful"]
            self._next_files = header["files"]
        elif child is self._child and self._task is not None:
            if "files" in header:
                self._watch.also(header["files"])
            self._backoff.reset()
            task, self._task = self._task, None
            self._feed.done(task)
            # A stop, and a child that is to take this one's place, wait for a free moment.
            if self._next_files is None and not self.stopping:
                self._take(child)
            self.finish_task(task, Answer(**header["answer"], picture=body or None))

    def _answer(self, answer: Answer) -> None:
        task, self._task = self._task, None
        assert task is not None
        self._feed.done(task)
        self.finish_task(task, answer)

    def _lose(self, child: Child, why: str = "") -> None:
        """Bury a child that has ended, or was killed and `why`."""
        how = self._board.bury(child)
        if child is self._next:
            self._next_files = None
            self._reject(why or f"hook died in setup ({how})")
        elif child is self._child:
            error = why or f"hook died ({how})"
            if self._task is not None:
                self._answer(Answer(error=error))
            else:
                self.complain(error)
            self._start_later("restarting")
        else:
            self._retired.pop(child, None)

    def _next_deadline(self) -> float:
        deadlines = [self._watch.due, *self._retired.values()]
        if self._task is not None:
            deadlines.append(self._answer_due)
        if self._next is not None and self._next_files is None:
            deadlines.append(self._setup_due)
        elif self._child is None:
            deadlines.append(self._start_at)
        return min(deadlines)

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        if self._child is not None and self._task is not None and now >= self._answer_due:
            self._overdue(self._child, f"hook took longer than {self._settings.timeout:g} s")
        if self._next is not None and self._next_files is None and now >= self._setup_due:
            self._overdue(self._next, f"setup took longer than {self._settings.setup_timeout:g} s")
        for child in [child for child, end in self._retired.items() if now >= end]:
            child.kill()
            self._lose(child)

    def _overdue(self, child: Child, why: str) -> None:
        child.show_where()
        child.output.wait(_LAST_WORDS)
        child.kill()
        self._lose(child, f"{why} and was killed")
