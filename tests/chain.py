"""Chain: a simulated camera, a sender and a receiver as programs, and what each of them counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import requests

from tests.program import Program, Receiver


class Chain:
    """The whole main line; `camera`, `sender` and `receiver` can be stopped and started anew."""

    def __init__(
        self,
        *,
        codec: str = "h264",
        size: str = "640x360",
        fps: int = 25,
        transport: str = "tcp",
        password: str | None = None,
        hook: str = "tests.witness:Witness",
    ) -> None:
        self._stack = ExitStack()
        self._codec, self._size, self._fps, self._transport = codec, size, fps, transport
        self._password = password
        self._hook = hook
        self.camera_port = self.receiver_port = 0

    def __enter__(self) -> Self:
        try:
            self.start_camera()
            self.start_receiver()
            self.start_sender()
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

    def start_camera(self) -> None:
        arguments = ["--codec", self._codec, "--size", self._size, "--fps", str(self._fps)]
        if self._password is not None:
            arguments += ["--user", "viewer", "--password", self._password]
        self.camera = self._stack.enter_context(
            Program("camera", "--port", str(self.camera_port), *arguments)
        )
        self.camera_port = int(self.camera.wait_for(r"rtsp://127\.0\.0\.1:(\d+)/")[1])

    def start_receiver(self) -> None:
        self.receiver = self._stack.enter_context(
            Receiver("--hook", self._hook, port=self.receiver_port)
        )
        self.receiver_port = self.receiver.port

    def start_sender(self) -> None:
        login = "" if self._password is None else f"viewer:{self._password}@"
        self.sender = self._stack.enter_context(
            Program(
                "sender",
                *("--camera", "cam1", "--to", self.receiver.url, "--status-port", "0"),
                *("--source", f"rtsp://{login}127.0.0.1:{self.camera_port}/"),
                *("--rtsp-transport", self._transport),
            )
        )
        self.status_port = int(self.sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1])

    def seen(self) -> dict[str, Any]:
        """Return what the receiver says of the camera; empty before its first frame."""
        answer = requests.get(f"{self.receiver.url}/cameras/cam1", timeout=30)
        content: dict[str, Any] = answer.json()
        return content if answer.status_code == 200 else {}

    def sent(self) -> dict[str, Any]:
        """Return what the sender says of the camera."""
        answer = requests.get(f"http://127.0.0.1:{self.status_port}/status", timeout=30)
        found: dict[str, Any] = answer.json()["cameras"][0]
        return found

    def wait_until(self, what: str, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Ask again and again; fail with the programs' output when it does not come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"not so after {seconds} s: {what}\n{self.camera.output}\n{self.sender.output}\n"
                f"{self.receiver.output}"
            )
            time.sleep(0.02)

    def wait_for_frames(self, count: int, seconds: float = 30.0) -> None:
        """Wait until the hook has processed `count` more frames."""
        goal = self.seen().get("processed", 0) + count
        self.wait_until(
            f"{count} frames at the hook", lambda: self.seen().get("processed", 0) >= goal, seconds
        )
