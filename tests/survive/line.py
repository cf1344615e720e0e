"""Line: a sender, a receiver whose hook keeps a diary, and between them what a trial puts there."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil
import requests

from shared import codec
from tests.chaos.proxy import ChaosProxy
from tests.program import Command
from tests.survive.holdings import Holdings, family_of
from tests.survive.island import Island
from tests.survive.trial import Run

#: For what a busy machine may take long over.
PATIENCE = 60.0
_PICTURES = 8
_VIEWERS = 16

_DIARY = """
import hashlib, json, time

def process(frame):
    row = {"epoch": frame.epoch, "seq": frame.seq, "captured_at": frame.captured_at,
           "age": frame.age, "at": time.time(), "digest": hashlib.sha1(frame.jpeg).hexdigest()}
    with open(%r, "a") as diary:
        diary.write(json.dumps(row) + "\\n")
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A frame at the hook: when, of which age as the hook was told, and which bytes."""

    epoch: str
    seq: int
    captured_at: float
    age: float
    at: float
    digest: str

    @property
    def true_age(self) -> float:
        """Seconds since its capture, where sender and hook share a clock."""
        return self.at - self.captured_at


class Line:
    """All of it on this machine; leaving ends all of it. The camera is `cam1`, noise as JPEGs."""

    def __init__(
        self,
        run: Run,
        *,
        proxy: Callable[[int], ChaosProxy] | None = None,
        island: Island | None = None,
        fps: int = 10,
        frame_bytes: int = 20_000,
        sender: Sequence[str] = (),
        receiver: Sequence[str] = (),
        patch: str = "",
        receiver_patch: str = "",
        frames: int | None = None,
        to: str | None = None,
        envs: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    ) -> None:
        """`proxy` makes what stands before the receiver's port, `island` is where the sender runs.

        `sender` and `receiver` are more arguments of theirs, the patches defences of theirs to take
        away, by name; see tests/survive/disarmed.py. `envs` are more of their environments. The
        camera ends after so many `frames`. `to` is another name of the receiver's address.
        """
        self.run = run
        self.proxy: ChaosProxy | None = None
        self._make_proxy = proxy
        self._island = island
        self._fps, self._frame_bytes = fps, frame_bytes
        self._options = (tuple(sender), tuple(receiver))
        self._patches = (patch, receiver_patch)
        self._frames, self._to, self._envs = frames, to, envs
        self._stack = ExitStack()
        self._diary = run.folder / "diary"
        self._diary.touch()

    def __enter__(self) -> Self:
        with self._stack:
            self._digests = self._draw()
            self._start()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _draw(self) -> set[str]:
        """Write the camera's pictures; return their digests."""
        rng = np.random.default_rng(self.run.seed)
        side = max(64, int((self._frame_bytes / 1.2) ** 0.5) // 16 * 16)
        folder = self.run.folder / "pictures"
        folder.mkdir()
        digests = set()
        for number in range(self._frames or _PICTURES):
            noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            data = codec.encode(noise, 80)
            (folder / f"{number}.jpg").write_bytes(data)
            digests.add(hashlib.sha1(data).hexdigest())
        return digests

    def _start(self) -> None:
        (self.run.folder / "diary_hook.py").write_text(_DIARY % str(self._diary))
        host = "127.0.0.1" if self._island is None else self._island.near
        self.receiver = self._start_program(
            *("receiver", self._patches[1], "--port", "0", "--insecure"),
            *("--host", "127.0.0.1" if self._island is None else "0.0.0.0"),
            *("--hook", "diary_hook", "--hook-path", str(self.run.folder), *self._options[1]),
            env=self._envs[1],
        )
        self.port = int(self.receiver.wait_for(r"listening on [^ ]*:(\d+);", seconds=PATIENCE)[1])
        self.receiver.wait_for("is ready", seconds=PATIENCE)
        self.url = url = f"http://{host}:{self.port}"
        if self._make_proxy is not None:
            self.proxy = self._stack.enter_context(self._make_proxy(self.port))
            url = self.proxy.url
        self._start_sender(url if self._to is None else f"http://{self._to}:{self.port}")

    def _start_sender(self, url: str) -> None:
        inside = () if self._island is None else self._island.inside
        self.sender = self._start_program(
            *("sender", self._patches[0], "--to", url, "--fps", str(self._fps)),
            *(("--loop",) if self._frames is None else ()),
            *("--source", str(self.run.folder / "pictures"), "--status-port", "0"),
            *("--status-host", "127.0.0.1" if self._island is None else self._island.far),
            *self._options[0],
            inside=inside,
            env=self._envs[0],
        )
        self._status = self.sender.wait_for(r"status on (http://[^ ]+)", seconds=PATIENCE)[1]

    def _start_program(
        self,
        name: str,
        patch: str,
        *arguments: str,
        inside: Sequence[str] = (),
        env: Mapping[str, str],
    ) -> Command:
        module = ("tests.survive.disarmed", patch, name) if patch else (name,)
        return self._stack.enter_context(
            Command(
                *(*inside, sys.executable, "-m", *module, *arguments),
                env={"PYTHONUNBUFFERED": "1", **env},
            )
        )

    def rows(self) -> list[Row]:
        """Return the diary: every frame that the hook saw."""
        lines = self._diary.read_text().splitlines(keepends=True)
        return [Row(**json.loads(line)) for line in lines if line.endswith("\n")]

    def sent(self) -> dict[str, Any]:
        """Return what the sender says of the camera."""
        content: dict[str, Any] = requests.get(self._status, timeout=PATIENCE).json()
        found: dict[str, Any] = content["cameras"][0]
        return found

    def seen(self) -> dict[str, Any]:
        """Return what the receiver says of it; nothing before its first frame."""
        answer = requests.get(f"{self.url}/cameras/cam1", timeout=PATIENCE)
        content: dict[str, Any] = answer.json()
        return content if answer.status_code == 200 else {}

    def wait_until(
        self, what: str, condition: Callable[[], object], seconds: float = PATIENCE
    ) -> None:
        """Look at `condition` until it holds; the promise is broken where it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                said = f"{self.sender.output[-2000:]}\n{self.receiver.output[-2000:]}"
                self.run.check(False, f"waited {seconds:g} s in vain for {what}\n{said}")
            time.sleep(0.02)

    def wait_for_frames(self, count: int, seconds: float = PATIENCE) -> None:
        """Wait until the hook saw `count` more frames."""
        goal = len(self.rows()) + count
        self.wait_until(f"{count} frames at the hook", lambda: len(self.rows()) >= goal, seconds)

    def wait_for_frame_of(self, moment: float, seconds: float = PATIENCE) -> Row:
        """Wait for a frame that was captured after `moment` (Unix seconds); return the first."""

        def found() -> list[Row]:
            return [row for row in self.rows() if row.captured_at > moment]

        self.wait_until("a frame that is new", found, seconds)
        return found()[0]

    def signal_receiver(self, number: signal.Signals) -> None:
        """Send the signal to the receiver and its children."""
        for process in family_of(self.receiver.pid):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def holdings(self) -> tuple[Holdings, Holdings]:
        """Return what the sender and the receiver hold, when it has served some at once.

        The receiver makes a thread for each request that comes while the others are busy, keeps it,
        and would seem to have grown by a burst.
        """
        with ExitStack() as viewers:
            for _ in range(_VIEWERS):
                url = f"{self.url}/cameras/cam1/stream.mjpg"
                viewer = requests.get(url, stream=True, timeout=PATIENCE)
                viewers.enter_context(viewer)
                next(viewer.iter_content(100))
        self.wait_until("the viewers' end", lambda: not self.seen()["viewers"])
        return self._held()

    def _held(self) -> tuple[Holdings, Holdings]:
        return Holdings.of(self.sender.pid), Holdings.of(self.receiver.pid)

    def check_back(self, before: tuple[Holdings, Holdings], seconds: float = PATIENCE) -> None:
        """Check that both hold again what they held, two more or less."""
        deadline = time.monotonic() + seconds
        while True:
            now = self._held()
            if all(map(Holdings.is_about, now, before)):
                return
            self.run.check(
                time.monotonic() < deadline,
                f"sender and receiver held {before}, and {seconds:g} s after it {now}",
            )
            time.sleep(0.1)

    def end(self, *, bus: bool = False) -> dict[str, int]:
        """End the sender; check that both books close, that no frame was partial or came twice,
        that both were calm. Return the sender's books.

        With a `bus` frames that were lost with it have failed, though a hook may have seen them.
        """
        check = self.run.check
        # A camera that ended, with its last frame lost, is told of by 1.
        status = self.sender.stop(seconds=PATIENCE)
        check(status in (0, 1), f"the sender did not end well:\n{self.sender.output}")
        words = re.findall(r"in all captured=\d+.*?waiting=\d+", self.sender.output)
        books = {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", words[-1])}
        told = sum(n for name, n in books.items() if name != "captured")
        check(books["captured"] == told, f"the sender's books do not close: {books}")
        self.wait_until("the hook to be idle", lambda: self.seen().get("waiting") == 0)
        seen = self.seen()
        told = sum(seen[name] for name in ("processed", "superseded", "failed", "waiting"))
        check(seen["received"] == told, f"the receiver's books do not close: {seen}")
        rows = self.rows()
        done = seen["processed"] + (seen["failed"] if bus else 0)
        check(
            seen["processed"] <= len(rows) <= done, f"{len(rows)} frames at the hook, books: {seen}"
        )
        names = {(row.epoch, row.seq) for row in rows}
        check(len(names) == len(rows), f"{len(rows) - len(names)} frames came twice to the hook")
        foreign = sum(row.digest not in self._digests for row in rows)
        check(not foreign, f"{foreign} frames at the hook were not whole")
        for program in (self.sender, self.receiver):
            check("Traceback" not in program.output, program.output[-3000:])
        return books
