"""Program: one of ours, run as a user runs it, with its output line by line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent


class Command:
    """A program in the project's root, as it is called; killed at the end if it must be."""

    def __init__(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.lines: list[str] = []
        #: When each line came, in monotonic seconds.
        self.times: list[float] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._pump = threading.Thread(target=self._read, name=f"output of {command[0]}")
        self._pump.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, *, seconds: float = 30.0, after: int = 0) -> re.Match[str]:
        """Return the match in the first line, from line `after` on, that holds `pattern`."""
        deadline = time.monotonic() + seconds
        seen = after
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self.lines)
                ended = self._process.poll() is not None and not self._pump.is_alive()
                if ended or time.monotonic() > deadline:
                    raise AssertionError(f"no line with {pattern!r} in:\n{self.output}")
                self._changed.wait(0.2)

    def stop(self, number: int = signal.SIGTERM, *, seconds: float = 30.0) -> int:
        """Send the signal, wait for the end, return the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.wait(seconds=seconds)

    def signal(self, number: int) -> None:
        """Send the signal and go on."""
        self._process.send_signal(number)

    def wait(self, *, seconds: float = 30.0) -> int:
        """Wait for the end; return the exit status."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.output}") from None
        self._pump.join(30)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        self._pump.join(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.times.append(time.monotonic())
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


class Program(Command):
    """`python -m module arguments`."""

    def __init__(
        self, module: str, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        ours = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
        command = (sys.executable, "-m", module, *arguments)
        super().__init__(*command, env={**ours, **(env or {})}, cwd=cwd)


class Receiver(Program):
    """A receiver on a free port, ready to take frames."""

    def __init__(
        self, *arguments: str, port: int = 0, env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("receiver", "--port", str(port), *arguments, env=env)
        try:
            self.port = int(self.wait_for(r"listening on [^ ]*:(\d+);")[1])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.url = f"http://127.0.0.1:{self.port}"
