"""Hooks: one that misbehaves costs its own frames, and nobody else anything.

Frames of two cameras come to a receiver, each camera with a hook of its own. That of `bad` is sound
and faulty by turns, by an edit of its file; that of `good` writes down how old its frames are.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from tests.program import Receiver
from tests.survive.feeder import Feeder
from tests.survive.line import PATIENCE
from tests.survive.trial import Figures, Run, Trial

_BAD_FPS, _GOOD_FPS = 20, 50
_BAD = "from tests.survive.bad_hooks import Bad\nprocess = Bad(%r, %r).process\n"
_GOOD = "from tests.survive.bad_hooks import Timely\nprocess = Timely(%r).process\n"
#: After the edit that mends it.
_RECOVERY = 3.0
#: Docker kills after 10 s.
_END = 8.0
#: Seconds that a loaded version needs to come to rest in.
_SETTLING = 1.0
#: What the age may change by: a share, or as many seconds as a process that starts costs on a
#: machine of two cores.
_CHANGE, _LEAST_CHANGE = 0.2, 0.005
#: Faults that cost no frame.
_HARMLESS = ("floods", "ignores")
#: In the environment of all that the receiver starts.
_MARK = "FRAMEPOST_TRIAL"


class _Stage:
    """The receiver, its two hooks and who feeds them."""

    def __init__(self, run: Run, fault: str) -> None:
        self.run, self._fault = run, fault
        self._folder = run.folder / fault
        self._folder.mkdir()
        self._bad_diary, self._good_diary = self._folder / "bad.txt", self._folder / "good.txt"
        for diary in (self._bad_diary, self._good_diary):
            diary.touch()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._write(self._fault if self.run.disarmed else None)
            (self._folder / "good_hook.py").write_text(_GOOD % str(self._good_diary))
            self.receiver = self._stack.enter_context(
                Receiver(
                    *("--hook", "bad=bad_hook", "--hook", "good=good_hook"),
                    *("--hook-path", str(self._folder), "--hook-timeout", "1"),
                    *(("--isolation", "thread") if self.run.disarmed else ()),
                    env={_MARK: str(self._folder)},
                )
            )
            self.wait_until("the hooks", self._is_ready)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        for process in self.strays():
            with suppress(psutil.Error):
                process.kill()

    def feeders(self) -> tuple[Feeder, Feeder]:
        port = self.receiver.port
        return Feeder(port, "bad", fps=_BAD_FPS), Feeder(port, "good", fps=_GOOD_FPS)

    def edit(self, fault: str | None) -> float:
        """Write the hook anew; return the seconds until there is a result of that version."""
        started = time.monotonic()
        self._write(fault)
        wanted = {"fault": fault or "none"}
        self.wait_until(f"results of {wanted}", lambda: self.seen("bad").get("result") == wanted)
        return time.monotonic() - started

    def letters(self) -> Counter[str]:
        """Return how many frames came to the bad hook, by whether it did wrong."""
        return Counter(self._bad_diary.read_text())

    def rows(self) -> list[tuple[float, float, int]]:
        """Return when each frame came to the good hook, its age, and the process."""
        lines = self._good_diary.read_text().splitlines(keepends=True)
        words = [line.split() for line in lines if line.endswith("\n")]
        return [(float(at), float(age), int(pid)) for at, age, pid in words]

    def seen(self, camera: str) -> dict[str, Any]:
        """Return what the receiver says of the camera; nothing before its first frame."""
        answer = self._get(f"/cameras/{camera}")
        content: dict[str, Any] = answer.json()
        return content if answer.ok else {}

    def is_idle(self, camera: str) -> bool:
        return bool(self.seen(camera)["waiting"] == 0)

    def wait_until(self, what: str, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            said = f"waited {PATIENCE:g} s in vain for {what}\n{self.receiver.output[-2000:]}"
            self.run.check(time.monotonic() < deadline, said)
            time.sleep(0.02)

    def strays(self) -> list[psutil.Process]:
        """Return the processes that the receiver, or what it started, has left behind."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_MARK) == str(self._folder):
                    found.append(process)
        return found

    def _is_ready(self) -> bool:
        return self._get("/readyz").ok

    def _get(self, path: str) -> requests.Response:
        try:
            return requests.get(f"{self.receiver.url}{path}", timeout=PATIENCE)
        except OSError:
            self.run.check(False, f"the receiver does not answer:\n{self.receiver.output[-2000:]}")
            raise

    def _write(self, fault: str | None) -> None:
        """Put the new file in the old one's place at once, as editors do."""
        draft = self._folder / "draft"
        draft.write_text(_BAD % (fault, str(self._bad_diary)))
        os.replace(draft, self._folder / "bad_hook.py")


def misbehave(faults: tuple[str, ...], run: Run) -> Figures:
    """Try each fault with a receiver of its own, in short runs one of them."""
    if run.disarmed:
        faults = faults[:1]
    elif run.quick:
        faults = (run.random.choice(faults),)
    figures: Figures = {}
    for fault in faults:
        seen = _commit(fault, run)
        run.say(f"{fault}: {seen}")
        figures |= {f"{fault}_{name}": value for name, value in seen.items()}
    return figures


def _commit(fault: str, run: Run) -> Figures:
    """Let the hook be sound and faulty by turns; then end the receiver while it is faulty."""
    seconds = 0.3 if run.quick else 8.0
    recoveries: list[float] = []
    sound: list[float] = []
    faulty: list[float] = []
    with _Stage(run, fault) as stage:
        serving = psutil.Process(stage.receiver.pid).children()[0].pid
        bad, good = stage.feeders()
        with bad, good:
            stage.wait_until("a result", lambda: stage.seen("bad").get("result"))
            for _ in range(1 if run.quick else 2):
                sound += _ages(stage, seconds)
                stage.edit(fault)
                faulty += _ages(stage, seconds)
                if fault not in _HARMLESS:
                    stage.wait_until("a failure", lambda: stage.letters()["x"])
                recoveries.append(stage.edit(None))
        figures = _check_books(stage, {"bad": bad, "good": good}, fault)
        with ExitStack() as feeders:
            for feeder in stage.feeders():
                feeders.enter_context(feeder)
            stage.edit(fault)
            time.sleep(seconds)
            pids = [child.pid for child in psutil.Process(stage.receiver.pid).children()]
            run.check(serving in pids, f"the receiver began anew:\n{stage.receiver.output}")
            started = time.monotonic()
            status = stage.receiver.stop(seconds=PATIENCE)
            took = time.monotonic() - started
        run.check(status == 0, f"the receiver ended with {status}:\n{stage.receiver.output}")
        run.check(took <= (PATIENCE if run.quick else _END), f"it ended after {took:.1f} s")
        stage.wait_until("the end of all that it started", lambda: not stage.strays())
    # Of hooks there are tracebacks, behind their names.
    ours = [line for line in stage.receiver.lines if " | " not in line]
    run.check(not any("Traceback" in line for line in ours), stage.receiver.output)
    worst = max(recoveries)
    run.check(
        worst <= (PATIENCE if run.quick else _RECOVERY),
        f"{fault}: mended, the hook worked {worst:.1f} s later",
    )
    run.check(
        run.quick or len(faulty) >= 0.9 * len(sound),
        f"{fault}: {len(sound)} frames came to the other hook, and beside the fault {len(faulty)}",
    )
    before, beside = _p99(sound), _p99(faulty)
    run.check(
        run.quick or abs(beside - before) <= max(_CHANGE * before, _LEAST_CHANGE),
        f"{fault}: the other's frames were {before * 1000:.1f} ms old at their 99th percentile,"
        f" and beside the fault {beside * 1000:.1f}",
    )
    return figures | {
        "recovery_s": round(worst, 2),
        "end_s": round(took, 2),
        "other_p99_ms": round(before * 1000, 1),
        "other_p99_ms_beside": round(beside * 1000, 1),
    }


def _ages(stage: _Stage, seconds: float) -> list[float]:
    """Return the ages of the good hook's frames in so many seconds, after what an edit costs."""
    time.sleep(0.1 if stage.run.quick else _SETTLING)
    since = time.time()
    time.sleep(seconds)
    ages = [age for at, age, _ in stage.rows() if at > since]
    stage.run.check(bool(ages), f"no frame came to the other hook in {seconds:g} s")
    return ages


def _p99(ages: list[float]) -> float:
    return sorted(ages)[int(len(ages) * 0.99)] if ages else 0.0


def _check_books(stage: _Stage, feeders: dict[str, Feeder], fault: str) -> Figures:
    """Check that what was posted, received and done is the same, to the frame."""
    run = stage.run
    for camera, feeder in feeders.items():
        stage.wait_until("an idle hook", partial(stage.is_idle, camera))
        seen = stage.seen(camera)
        told = sum(seen[name] for name in ("processed", "superseded", "failed", "waiting"))
        run.check(set(feeder.statuses) == {202}, f"{camera}: answers were {feeder.statuses}")
        run.check(
            seen["received"] == told == feeder.statuses[202],
            f"{camera}: {feeder.statuses[202]} frames were taken, the books say {seen}",
        )
    seen, letters, rows = stage.seen("bad"), stage.letters(), stage.rows()
    run.check(
        (seen["processed"], seen["failed"]) == (letters["."], letters["x"]),
        f"the hook did {dict(letters)}, the books say {seen}",
    )
    run.check(
        bool(letters["x"]) == (fault not in _HARMLESS), f"the hook failed {letters['x']} times"
    )
    seen = stage.seen("good")
    run.check(seen["processed"] == len(rows) and not seen["failed"], f"{len(rows)} rows: {seen}")
    pids = {pid for _, _, pid in rows}
    run.check(len(pids) == 1, f"the other hook ran in {len(pids)} processes")
    return {"calls": letters.total(), "failed": letters["x"]}


def _trial(
    name: str, what: str, faults: tuple[str, ...], cost: str = "those frames", disarm: str = ""
) -> Trial:
    promise = (
        f"a hook that at every tenth frame {what}, costs {cost}, counted to the frame, and works"
        " as it should 3 s after it is mended; another camera's hook goes on, and the age of its"
        " frames changes by less than 20 % or 5 ms at its 99th percentile; the receiver stays up,"
        " and its end leaves no process behind"
    )
    return Trial(name, promise, partial(misbehave, faults), disarm or None, disarm_quick=True)


TRIALS = [
    _trial("hooks-fail", "raises, or hangs", ("raises", "hangs")),
    _trial(
        "hooks-die",
        "has a segmentation fault, calls sys.exit, closes what is open, forks and dies, or leaks"
        " until it is killed",
        ("segfaults", "exits", "closes", "forks", "leaks"),
        disarm="processes of their own: hooks run in the receiver's threads",
    ),
    _trial(
        "hooks-trouble",
        "prints 2 MB, or ignores every signal and has a child that does",
        ("floods", "ignores"),
        cost="no frame",
    ),
]
