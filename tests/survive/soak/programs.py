"""Programs: cameras, a sender, a receiver and its hooks, and the line between the two."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from camera.simulated import SimulatedCamera
from tests.chaos.proxy import ChaosProxy
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
#: Seconds without a frame after which the sender connects again.
READ_TIMEOUT = 3.0
#: Cameras whose results fill the receiver's journal.
FILLERS = tuple(f"filler{number}" for number in range(4))


class Programs:
    """`with` starts and ends them."""

    def __init__(self, folder: Path, *, leak: float, is_disarmed: bool = False) -> None:
        """`leak`: bytes a minute of the control. `is_disarmed`: a hook that is judged leaks too."""
        self._folder = folder
        self._leak = leak
        self._steady = LEAKY if is_disarmed else STEADY
        self._stack = ExitStack()
        self._port = 0
        self.outputs: list[Program] = []

    def __enter__(self) -> Self:
        try:
            self.cameras = {
                name: self._stack.enter_context(
                    SimulatedCamera(codec=codec, size=(width, height), fps=fps)
                )
                for name, (codec, width, height, fps, _) in CAMERAS.items()
            }
            self.start_receiver()
            self.proxy = self._stack.enter_context(ChaosProxy(self._port))
            config = self._folder / "cameras.yaml"
            config.write_text(
                "cameras:\n"
                + "".join(
                    f"  - {{camera: {name}, source: '{camera.url}',"
                    f" rtsp_transport: {CAMERAS[name][4]}, read_timeout: {READ_TIMEOUT:g}}}\n"
                    for name, camera in self.cameras.items()
                ),
                encoding="utf-8",
            )
            self.sender = self._stack.enter_context(
                Program("sender", "--config", str(config), "--to", self.proxy.url)
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

    def start_receiver(self) -> None:
        """Start one, on the port that the last one had."""
        hooks = (self._steady, f"cam3={LEAKY}", "cam4=tests.sightings:process")
        arguments = [part for hook in hooks for part in ("--hook", hook)]
        for camera in FILLERS:
            arguments += ["--hook", f"{camera}={FILLING}"]
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
