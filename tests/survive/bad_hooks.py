"""Hooks that do what hooks should not, for trials of what becomes of the others."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from receiver.frame import Frame
from tests import sightings


def filling(frame: Frame) -> dict[str, object] | None:
    """Return what the hooks of a soak do, each as often, at no cost: of 22 frames those of cam1 and
    cam2, of cam3, and of cam4."""
    turn = frame.seq % 22
    if turn < 15:
        return dict.fromkeys(("frames", "illegible", "disorder", "number", "age_ms"), frame.seq)
    return None if turn < 20 else sightings.process(frame)


class Leaky:
    """Keep 100 kB more each minute, or LEAK_PER_MINUTE bytes."""

    def __init__(self) -> None:
        self._per_second = float(os.environ.get("LEAK_PER_MINUTE", "100000")) / 60
        self._kept: list[bytes] = []
        self._size = 0
        self._since = time.monotonic()

    def process(self, frame: Frame) -> None:
        due = int((time.monotonic() - self._since) * self._per_second) - self._size
        if due > 0:
            # Written to, or the system would not give the pages.
            self._kept.append(b"x" * due)
            self._size += due


#: Kept by `leaks`, in bytes.
_LEAK, _ROOM = 20_000_000, 100_000_000
_kept: list[bytes] = []

#: Called right before the hook fails.
Failing = Callable[[], None]


def raises(failing: Failing) -> None:
    failing()
    raise ValueError("every tenth frame")


def hangs(failing: Failing) -> None:
    failing()
    time.sleep(3600)


def segfaults(failing: Failing) -> None:
    failing()
    ctypes.string_at(0)


def exits(failing: Failing) -> None:
    failing()
    sys.exit(3)


def forks(failing: Failing) -> None:
    """Leave a child behind, which has all that its parent had, and die."""
    if os.fork() == 0:
        time.sleep(3600)
        os._exit(0)
    failing()
    os._exit(4)


def closes(failing: Failing) -> None:
    """Close the pipe to the receiver, and whatever else is open."""
    failing()
    os.closerange(3, 256)


def floods(failing: Failing) -> None:
    """Print 2 MB."""
    for number in range(20_000):
        print(f"{number:>100}")


def ignores(failing: Failing) -> None:
    """Heed no signal that can be ignored, and start somebody who does not either."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not _kept and os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
        os._exit(0)
    _kept[:] = [b"started"]


def leaks(failing: Failing) -> None:
    """Keep 20 MB more, until 100 MB are too much for whoever watches over the machine's memory."""
    _kept.append(b"x" * _LEAK)
    if len(_kept) * _LEAK >= _ROOM:
        failing()
        os.kill(os.getpid(), signal.SIGKILL)


#: What a hook may do wrong, by name.
FAULTS: dict[str, Callable[[Failing], None]] = {
    fault.__name__: fault
    for fault in (raises, hangs, segfaults, exits, forks, closes, floods, ignores, leaks)
}


class Bad:
    """Commit `fault`, of FAULTS or none, at every tenth frame.

    Each frame is a letter in the file `diary`: "x" where the hook fails, "." where it does not.
    """

    def __init__(self, fault: str | None, diary: str) -> None:
        self._fault = fault
        self._diary = Path(diary)
        self._failed = 0

    def process(self, frame: Frame) -> dict[str, str]:
        before = self._failed
        if self._fault is not None and frame.seq % 10 == 9:
            FAULTS[self._fault](self._fail)
        if self._failed == before:
            self._note(".")
        return {"fault": self._fault or "none"}

    def _fail(self) -> None:
        self._failed += 1
        self._note("x")

    def _note(self, letter: str) -> None:
        with self._diary.open("a") as diary:
            diary.write(letter)


class Timely:
    """Write down into the file `diary` when each frame came, how old it was, and to which process:
    Unix seconds, seconds, number."""

    def __init__(self, diary: str) -> None:
        self._diary = Path(diary)

    def process(self, frame: Frame) -> None:
        with self._diary.open("a") as diary:
            diary.write(f"{time.time()} {frame.age} {os.getpid()}\n")
