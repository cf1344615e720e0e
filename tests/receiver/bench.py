"""Bench: a runner with a hook written on the spot, for tests."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from receiver.camera import Camera
from receiver.hooking.hooks import HookSpec
from receiver.hooking.runner import Runner
from receiver.hooking.schedule import HubFeeds
from receiver.hub import Hub
from receiver.result import Result
from tests.conftest import MakeFrame


def wait_until(what: str, condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Look at `condition` until it holds; for what happens in other processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Bench:
    """`write` a hook, `start` the runner, `show` it frames."""

    def __init__(self, folder: Path, make_frame: MakeFrame) -> None:
        self.folder = folder
        self.hub = Hub()
        self.runner: Runner
        self._make_frame = make_frame
        self._seq: dict[str, int] = {}

    def write(self, text: str, name: str = "bench_hook.py") -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def start(self, *hooks: str, ready: bool = True, **settings: Any) -> Runner:
        specs = [HookSpec.parse(hook) for hook in hooks or ("bench_hook",)]
        self.runner = Runner(
            HubFeeds(self.hub), specs, hook_path=[str(self.folder)], **settings
        ).start()
        if ready:
            self.wait_ready()
        return self.runner

    def wait_ready(self) -> None:
        wait_until("the hook", lambda: self.runner.ready)

    def publish(self, camera: str = "cam1", *, data: bytes = b"") -> int:
        """Publish the next frame, perhaps with other bytes, and return its number."""
        seq = self._seq[camera] = self._seq.get(camera, -1) + 1
        frame = self._make_frame(seq, camera=camera)
        assert self.hub.publish(replace(frame, data=data or frame.data)) == "accepted"
        return seq

    def show(self, camera: str = "cam1", seconds: float = 30.0, *, data: bytes = b"") -> Result:
        """Publish a frame and return its result."""
        seq = self.publish(camera, data=data)
        reader = self.camera(camera).results.reader()
        deadline = time.monotonic() + seconds
        while True:
            result = reader.get(max(0.0, deadline - time.monotonic()))
            assert result is not None, f"no result for frame {seq} of {camera}"
            if result.frame.seq == seq:
                return result

    def camera(self, name: str = "cam1") -> Camera:
        camera = self.hub.get(name)
        assert camera is not None
        return camera

    def check_books(self) -> None:
        for camera in self.hub.cameras():
            books = camera.books()
            done = books.processed + books.superseded + books.failed
            assert books.received == done + books.waiting
            assert books.waiting == camera.pending.counts()[2], "a frame was taken, never finished"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stopped = self.runner.stop()
        # What thread workers imported must not meet the next test's hook of the same name.
        sys.path[:] = [entry for entry in sys.path if entry != str(self.folder)]
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(self.folder)):
                del sys.modules[name]
        assert stopped, "the runner did not stop in time"
        if kind is None:
            self.check_books()
            assert self.runner.error is None
