"""Spooled: a sender that delivers every frame, and a receiver whose hook keeps a diary of them.

Either can be killed at any moment and is started anew; what the hook saw is on the disk.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from sender.spool.record import unpack
from sender.spool.segment import SegmentReader, find
from shared import codec, pattern
from tests.chaos.proxy import ChaosProxy
from tests.program import Command
from tests.survive.trial import Broken, Run

#: For what a busy machine may take long over.
PATIENCE = 90.0

_DIARY = """
import json, os, time
from shared import pattern

def process(frame):
    mark = pattern.read(frame.image)
    row = {"epoch": frame.epoch, "seq": frame.seq, "redelivered": frame.redelivered,
           "number": None if mark is None else mark.number, "at": time.time()}
    with open(%r, "a") as diary:
        diary.write(json.dumps(row) + "\\n")
        diary.flush()
        os.fsync(diary.fileno())
    time.sleep(%r)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the hook: which frame, and the number that is drawn in its picture."""

    epoch: str
    seq: int
    redelivered: bool
    number: int | None
    at: float

    @property
    def name(self) -> tuple[str, int]:
        return self.epoch, self.seq


class Spooled:
    """All of it on this machine; leaving ends all of it. The camera is a test pattern."""

    def __init__(
        self,
        run: Run,
        *,
        fps: int = 25,
        hook_seconds: float = 0.0,
        options: Sequence[str] = ("--delivery", "every"),
        spool: Path | None = None,
        proxy: Callable[[int], ChaosProxy] | None = None,
        sender_patch: str = "",
        receiver_patch: str = "",
    ) -> None:
        self.run = run
        self.spool = spool or run.folder / "spool"
        self._fps, self._options = fps, tuple(options)
        self._patches = (sender_patch, receiver_patch)
        self._make_proxy = proxy
        self._stack = ExitStack()
        self._diary = run.folder / "diary"
        self._diary.touch()
        (run.folder / "diary_hook.py").write_text(_DIARY % (str(self._diary), hook_seconds))
        self._port = 0
        #: Frames that lay in the spool when a sender was killed.
        self.left: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start_receiver(self) -> None:
        """Return when its hook is ready."""
        self.receiver = self._start(
            *("receiver", self._patches[1], "--port", str(self._port)),
            *("--hook", "diary_hook", "--hook-path", str(self.run.folder)),
        )
        found = self.receiver.wait_for(r"listening on [^ ]*:(\d+);", seconds=PATIENCE)
        if not self._port:
            self._port = int(found[1])
            self.to = f"http://127.0.0.1:{self._port}"
            if self._make_proxy is not None:
                self.to = self._stack.enter_context(self._make_proxy(self._port)).url
        self.receiver.wait_for("is ready", seconds=PATIENCE)

    def choose_port(self, port: int) -> None:
        """Let the receiver, when it is started, listen there."""
        self._port, self.to = port, f"http://127.0.0.1:{port}"

    def start_sender(self) -> None:
        self.sender = self._start(
            *("sender", self._patches[0], "--to", self.to, "--fps", str(self._fps)),
            *("--source", "testsrc", "--size", "160x120", "--status-port", "0"),
            *("--spool", str(self.spool), *self._options),
        )
        self._status = self.sender.wait_for(r"status on (http://[^ ]+)", seconds=PATIENCE)[1]

    def kill_receiver(self) -> None:
        """With its hook and all its processes."""
        os.killpg(self.receiver.pid, signal.SIGKILL)
        self.receiver.wait(seconds=PATIENCE)

    def kill_sender(self) -> None:
        """And look at what it leaves."""
        self.sender.signal(signal.SIGKILL)
        self.sender.wait(seconds=PATIENCE)
        self.left += self.stored()

    def stored(self) -> list[tuple[str, int]]:
        """Return the frames whose records lie in the spool."""
        found = []
        folder = self.spool / "cam1"
        for _, path in find(folder) if folder.exists() else []:
            with SegmentReader(path) as reader:
                while (record := reader.next(0, 2**64)) is not None:
                    frame = unpack(record[1], "cam1", is_own=False)
                    assert frame is not None
                    found.append((frame.epoch, frame.seq))
        return found

    def drain(self, seconds: float = 600.0) -> None:
        """End the sender in good order, and let another one deliver what it left."""
        check = self.run.check
        status = self.sender.stop(seconds=PATIENCE)
        check(status == 0, f"the sender did not end well ({status}):\n{self.sender.output[-3000:]}")
        self.left += self.stored()
        pictures = self.run.folder / "last"
        pictures.mkdir()
        (pictures / "0.jpg").write_bytes(codec.encode(pattern.draw(0, 160, 120), 80))
        self.last = self._start(
            *("sender", self._patches[0], "--to", self.to, "--source", str(pictures)),
            *("--spool", str(self.spool), *self._options),
        )
        status = self.last.wait(seconds=seconds)
        check(status == 0, f"not all was delivered ({status}):\n{self.last.output[-3000:]}")
        for program in (self.sender, self.last, self.receiver):
            check("Traceback" not in program.output, program.output[-3000:])

    def rows(self) -> list[Row]:
        """Return the diary: every run of the hook."""
        lines = self._diary.read_text().splitlines(keepends=True)
        return [Row(**json.loads(line)) for line in lines if line.endswith("\n")]

    def sent(self) -> dict[str, Any]:
        """Return what the sender says of the camera."""
        try:
            content: dict[str, Any] = requests.get(self._status, timeout=PATIENCE).json()
        except requests.ConnectionError:
            said = self.sender.output[-2000:]
            raise Broken(f"the sender is not there any more:\n{said}") from None
        found: dict[str, Any] = content["cameras"][0]
        return found

    def wait_until(self, what: str, condition: Callable[[], object], seconds: float = 1800) -> None:
        """Look at `condition` until it holds; the promise is broken where it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.run.check(
                    False, f"waited {seconds:g} s in vain for {what}\n{self.sender.output[-2000:]}"
                )
            time.sleep(0.02)

    def wait_for_rows(self, count: int) -> None:
        """Wait until the hook ran so many more times."""
        goal = len(self.rows()) + count
        self.wait_until(f"{count} frames at the hook", lambda: len(self.rows()) >= goal)

    def told(self, name: str) -> int:
        """Return what the ended sender's last line says of `name`."""
        return int(re.findall(rf"in all .*\b{name}=(\d+)", self.sender.output)[-1])

    def expired(self) -> int:
        """Return how many frames the sender and the last one gave up, by their last lines."""
        output = self.sender.output + self.last.output
        return sum(map(int, re.findall(r"in all .* expired=(\d+)", output)))

    def check_runs(self, *, receiver_kills: int = 0) -> dict[str, int]:
        """Check that the hook had every frame, in order, the right picture, and twice only where
        that was said. Return the figures.
        """
        check, rows = self.run.check, self.rows()
        first: dict[tuple[str, int], Row] = {}
        again = 0
        for row in rows:
            if row.name in first:
                again += 1
                check(row.redelivered, f"{row.name} ran twice, and its second run does not say so")
            first.setdefault(row.name, row)
        seqs: dict[str, list[int]] = {}
        for epoch, seq in first:
            seqs.setdefault(epoch, []).append(seq)
        for epoch, found in seqs.items():
            check(found == sorted(found), f"the frames of {epoch} came in another order")
            missing = set(range(found[-1] + 1)) - set(found)
            check(
                not missing, f"{len(missing)} frames of {epoch} never came: {sorted(missing)[:9]}"
            )
        lost = set(self.left) - set(first)
        check(not lost, f"{len(lost)} frames that were in the spool never came: {sorted(lost)[:9]}")
        check(
            again <= receiver_kills,
            f"{again} frames ran twice, and the receiver was killed {receiver_kills} times",
        )
        wrong = sum(row.number is None for row in rows)
        for one, next_one in pairwise(first.values()):
            if one.epoch == next_one.epoch:
                wrong += (one.number or 0) >= (next_one.number or 0)
        check(not wrong, f"{wrong} pictures were not those of their frames")
        return {"frames": len(first), "missing": 0, "ran_twice": again}

    def _start(self, name: str, patch: str, *arguments: str) -> Command:
        module = ("tests.survive.disarmed", patch, name) if patch else (name,)
        return self._stack.enter_context(
            Command(sys.executable, "-m", *module, *arguments, env={"PYTHONUNBUFFERED": "1"})
        )


def disk_use(folder: Path) -> int:
    """Return the bytes of the frames in it, however they come and go."""
    total = 0
    for path in folder.rglob("*.spool"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total
