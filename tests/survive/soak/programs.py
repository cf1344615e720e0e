"""Programs: cameras, a sender, a receiver and its hooks, and the faults that befall them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from camera.simulated import SimulatedCamera
from shared import codec, pattern
from tests.program import Program, Receiver

#: camera: codec, width, height, frames a second, transport
CAMERAS = {
    "cam1": ("h264", 640, 360, 10, "tcp"),
    "cam2": ("h265", 320, 240, 5, "udp"),
    "cam3": ("mjpeg", 640, 480, 5, "tcp"),
    "cam4": ("h264", 1280, 720, 2, "tcp"),
}
LEAKY = "tests.survive.bad_hooks:Leaky"
FILLING = "tests.survive.bad_hooks:filling"
STEADY = "tests.witness:Witness"
#: Results that the receiver keeps for readers of /events, and how many fill it at once.
_JOURNAL = 10_000
_FILLERS = 4
#: Requests that wait for a receiver which stood still for so long that its senders asked again.
_CROWD = 32


class Programs:
    """The programs, and the faults that befall them. `with` starts and ends them."""

    def __init__(self, folder: Path, *, leak: float, is_disarmed: bool = False) -> None:
        """`leak`: bytes a minute of the control. `is_disarmed`: a hook that is judged leaks too."""
        self._folder = folder
        self._leak = leak
        self._steady = LEAKY if is_disarmed else STEADY
        self._stack = ExitStack()
        self._port = 0
        self.outputs: list[Program] = []
        #: What to do, and what ends it.
        self.faults: Mapping[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "receiver stopped": (
                lambda: self._signal(signal.SIGSTOP),
                lambda: self._signal(signal.SIGCONT),
            ),
            "receiver killed": (self._kill, self._start_receiver),
            "camera stalled": (self._cameras_stall, self._cameras_resume),
            "camera gone": (self._cameras_stop, self._cameras_start),
            "hook segfault": (self._segfault, lambda: None),
        }

    def __enter__(self) -> Self:
        try:
            self.cameras = {
                name: self._stack.enter_context(
                    SimulatedCamera(codec=codec, size=(width, height), fps=fps)
                )
                for name, (codec, width, height, fps, _) in CAMERAS.items()
            }
            self._start_receiver()
            config = self._folder / "cameras.yaml"
            config.write_text(
                "cameras:\n"
                + "".join(
                    f"  - {{camera: {name}, source: '{camera.url}',"
                    f" rtsp_transport: {CAMERAS[name][4]}}}\n"
                    for name, camera in self.cameras.items()
                ),
                encoding="utf-8",
            )
            self.sender = self._stack.enter_context(
                Program("sender", "--config", str(config), "--to", self.receiver.url)
            )
            self.outputs.append(self.sender)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def roles(self) -> dict[str, int]:
        """Return the process of each role, of those that are there now."""
        found = {"sender": self.sender.pid, "receiver": self.receiver.pid}
        try:
            for child in psutil.Process(self.receiver.pid).children(recursive=True):
                line = child.cmdline()
                if "receiver.hooking.hook_process" not in line:
                    found["receiver's server"] = child.pid
                    continue
                target = json.loads(line[-1])["target"]
                if target == FILLING:
                    continue
                is_control = target == LEAKY and self._steady != LEAKY
                found["control" if is_control else f"hook {target.rpartition(':')[2]}"] = child.pid
        except psutil.Error:
            pass  # it was just killed
        return found

    def counts(self) -> dict[str, Any]:
        """Return what the receiver says of each camera; empty while it says nothing."""
        try:
            answer = requests.get(f"{self.receiver.url}/cameras", timeout=2).json()
        except (requests.RequestException, ValueError):
            return {}
        return {camera["camera"]: camera for camera in answer["cameras"]}

    def recovers(self, seconds: float) -> float | None:
        """Return after how many seconds frames of all cameras had reached hooks; None: not all."""
        started = time.monotonic()
        first: dict[str, int] = {}
        while time.monotonic() - started < seconds:
            done = {name: camera["processed"] for name, camera in self.counts().items()}
            first = {name: min(first.get(name, number), number) for name, number in done.items()}
            if all(done.get(name, 0) > first.get(name, 0) for name in CAMERAS):
                return time.monotonic() - started
            time.sleep(0.1)
        return None

    def crowd(self) -> None:
        """Let so many be there at once as after a standstill: the server keeps a thread for each.

        It gives tasks to its threads by turns, so that none has nothing to do for long.
        """
        together = threading.Barrier(_CROWD)
        with ThreadPoolExecutor(_CROWD) as pool:
            for done in [pool.submit(self._view, together) for _ in range(_CROWD)]:
                done.result()

    def _view(self, together: threading.Barrier) -> None:
        url = f"{self.receiver.url}/cameras/cam1/stream.mjpg"
        with requests.get(url, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            next(answer.iter_content(1000))
            together.wait(60)

    def fill(self) -> None:
        """Let so many results come that the receiver's journal is full, as after a while it is."""
        picture = codec.encode(pattern.draw(0, 160, 120), 50)
        with ThreadPoolExecutor(_FILLERS) as pool:
            list(pool.map(partial(self._fill, picture), range(_FILLERS)))

    def _fill(self, picture: bytes, number: int) -> None:
        with requests.Session() as session:
            for _ in range(_JOURNAL // _FILLERS):
                answer = session.post(
                    f"{self.receiver.url}/cameras/filler{number}/frames?mode=every",
                    picture,
                    headers={"Content-Type": "image/jpeg", "Prefer": "wait=30"},
                    timeout=60,
                )
                answer.raise_for_status()

    def _start_receiver(self) -> None:
        hooks = (self._steady, f"cam3={LEAKY}", "cam4=tests.sightings:process")
        arguments = [part for hook in hooks for part in ("--hook", hook)]
        for number in range(_FILLERS):
            arguments += ["--hook", f"filler{number}={FILLING}"]
        env = {"LEAK_PER_MINUTE": str(self._leak)}
        for left in range(20, -1, -1):
            try:
                self.receiver = Receiver(*arguments, port=self._port, env=env)
                break
            except AssertionError as exc:
                # The killed one's server needs a moment to notice it.
                if "in use" not in str(exc) or not left:
                    raise
                time.sleep(0.25)
        self._stack.enter_context(self.receiver)
        self._port = self.receiver.port
        self.outputs.append(self.receiver)

    def _signal(self, number: int) -> None:
        top = psutil.Process(self.receiver.pid)
        for process in (top, *top.children(recursive=True)):
            process.send_signal(number)

    def _kill(self) -> None:
        self.receiver.stop(signal.SIGKILL)

    def _segfault(self) -> None:
        os.kill(self.roles()["hook process"], signal.SIGSEGV)

    def _cameras_stall(self) -> None:
        for name in ("cam1", "cam2"):
            self.cameras[name].stall()

    def _cameras_resume(self) -> None:
        for name in ("cam1", "cam2"):
            self.cameras[name].resume()

    def _cameras_stop(self) -> None:
        self.cameras["cam3"].stop()

    def _cameras_start(self) -> None:
        self.cameras["cam3"].start()
