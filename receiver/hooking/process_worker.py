"""ProcessWorker: runs a hook in a child process; survives whatever the hook does to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from receiver.child.switchboard import Message, Switchboard
from receiver.hooking.answer import Answer
from receiver.hooking.hook_child import HookChild
from receiver.hooking.hook_log import HookLog
from receiver.hooking.hook_worker import HookSettings, HookWorker
from receiver.hooking.schedule import Feed, Task
from receiver.hooking.trouble import Trouble
from receiver.hooking.watch import Watch
from shared.backoff import Backoff

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
    those in `_retired` have been told to end, and are killed when that is overdue.

    When an answer comes, the hook gets its next frame first, and works while the answer is entered.
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
        self._watch = Watch() if settings.reload else Watch(_NEVER)
        self._board: Switchboard[HookChild] = Switchboard()
        self._child: HookChild | None = None
        self._next: HookChild | None = None
        self._retired: set[HookChild] = set()
        self._task: Task | None = None
        #: Monotonic: when to start anew.
        self._start_at = 0.0
        self._reload_asked = False

    def wake(self) -> None:
        self._board.ring()

    def reload(self) -> bool:
        self._reload_asked = True
        self._board.ring()
        return True

    @property
    def loading(self) -> bool:
        return self._reload_asked or self._next is not None or self._state == "starting"

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
            names = ", ".join(Path(file).name for file in changed)
            self._start(f"{names} changed, loaded anew")
        elif self._reload_asked:
            self._start("loaded anew, as was asked for")
        if self._next is not None and self._next.files is not None and self._task is None:
            self._put_in_place(self._next, self._next.files)

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
            task, self._task = self._task, None
            self._feed.done(task)
            self.abandon_task(task)
        if self._child is not None:
            self._child.due = end
            self._retired.add(self._child)
            self._child = None
        while self._retired:
            for child, message in self._board.wait(end):
                self._hear(child, message)
            self._check_deadlines()
        self._board.close()

    def _start(self, reason: str = "") -> None:
        """Start a child to come next, in place of one that was to come next."""
        former, self._next = self._next, None
        if former is not None:
            former.kill()
            self._board.bury(former)
        try:
            self._next = HookChild(self._settings, label=self.name, reason=reason, heard=self.hear)
        except OSError as exc:
            self._reject(f"cannot start a process ({exc.strerror})")
        else:
            self._board.add(self._next)
        finally:
            self._reload_asked = False  # only now, or it would seem for a moment as if it was done

    def _put_in_place(self, child: HookChild, files: list[str]) -> None:
        """Let the child that was next serve, and the former one end."""
        former, self._child, self._next = self._child, child, None
        if former is not None:
            former.retire(GRACE)
            self._retired.add(former)
        self._watch.follow(files)
        self._pid, self._loaded_at = child.pid, time.time()
        if child.reason:
            self.say(child.reason)
        elif self._state != "restarting":
            self.say(f"{self.target} is ready (process {child.pid})")
        else:
            self.note(f"runs again (process {child.pid})")
        if child.reason or self._state != "restarting":
            self.forget_trouble()
        self.enter("ready")

    def _reject(self, problem: str, trace: str = "") -> None:
        """Show why the next child does not come, and let the former, or a later one, serve."""
        self._next = None
        if self._child is not None:
            self.complain(f"{problem}; the former version goes on", trace)
        else:
            self.complain(problem, trace)
            if self._state != "failed" and self._settings.reload:
                self.say("is tried again, at once when a file of the hook is saved")
            self._start_later("failed")

    def _start_later(self, state: Literal["restarting", "failed"]) -> None:
        self._child = self._pid = self._loaded_at = None
        self._restarts += 1
        self._start_at = time.monotonic() + self._backoff.next()
        self.enter(state)

    def _take(self, child: HookChild) -> None:
        self._task = self._feed.take(self._seat)
        self.enter("ready" if self._task is None else "busy")
        if self._task is not None:
            child.ask(self._task)

    def _hear(self, child: HookChild, message: Message) -> None:
        if message is None:
            self._lose(child)
            return
        header, body = message
        if child is self._next and "error" in header:
            self._watch.also(header["files"])
            child.retire(GRACE)
            self._retired.add(child)
            self._reject(header["error"], header["trace"])
        elif child is self._next:
            self._feed.stateful = header["stateful"]
            child.set_up(header["files"])
        elif child is self._child and self._task is not None:
            if "files" in header:
                self._watch.also(header["files"])
            self._backoff.reset()
            child.rest()
            task, self._task = self._task, None
            self._feed.done(task)
            # A stop, and a child that is to take this one's place, wait for a free moment.
            if (self._next is None or self._next.files is None) and not self.stopping:
                self._take(child)
            self.finish_task(task, Answer(**header["answer"], picture=body or None))

    def _answer(self, answer: Answer) -> None:
        task, self._task = self._task, None
        assert task is not None
        self._feed.done(task)
        self.finish_task(task, answer)

    def _lose(self, child: HookChild, why: str = "") -> None:
        """Bury a child that has ended, or was killed and `why`."""
        how = self._board.bury(child)
        if child is self._next:
            self._reject(why or f"hook died in setup ({how})")
        elif child is self._child:
            error = why or f"hook died ({how})"
            if self._task is not None:
                self._answer(Answer(error=error))
            else:
                self.complain(error)
            self._start_later("restarting")
        else:
            self._retired.discard(child)

    def _children(self) -> list[HookChild]:
        return [child for child in (self._child, self._next, *self._retired) if child is not None]

    def _next_deadline(self) -> float:
        deadlines = [self._watch.due, *(child.due for child in self._children())]
        if self._child is None and self._next is None:
            deadlines.append(self._start_at)
        return min(deadlines)

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for child in [child for child in self._children() if now >= child.due]:
            why = ""
            if child is self._child:
                why = f"hook took longer than {self._settings.timeout:g} s and was killed"
            elif child is self._next:
                why = f"setup took longer than {self._settings.setup_timeout:g} s and was killed"
            if why:
                self._timeouts += 1
                child.show_where()
                child.output.wait(_LAST_WORDS)
            child.kill()
            self._lose(child, why)
