"""Program: one process of a benchmark, run as a user runs it, and what it costs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).parent.parent.parent
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class Program:
    """`python -m …`, entered when each of `ready`, in any order, was found in its stderr.

    `found` has what the patterns' groups matched. CPU and memory are those of the process and of
    its children.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        ready: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`arguments` follow `python -m`; `name` is what tables call the process."""
        self.name = name
        self.found: list[str] = []
        self._arguments = list(arguments)
        self._wanted = [re.compile(pattern) for pattern in ready]
        self._environment = dict(environment or {})
        self._last: deque[str] = deque(maxlen=8)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self._arguments],
            cwd=ROOT,
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, name=f"stderr of {self.name}")
        self._listener.start()
        if not self._ready.wait(_START_SECONDS) or self._wanted:
            self.__exit__(None, None, None)
            raise RuntimeError(f"{self.name} did not start:\n" + "".join(self._last))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        family = self.family()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for process in family:
            # A rival that leaves its children behind.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._listener.join()
        assert self._process.stderr is not None
        self._process.stderr.close()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float) -> None:
        """Wait for its end; raise RuntimeError when it does not end well."""
        if self._process.wait(timeout) != 0:
            raise RuntimeError(f"{self.name} failed:\n" + "".join(self._last))

    def cpu(self) -> float:
        """Return the CPU seconds that it and its children took until now, user and system."""
        total = 0.0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> int:
        """Return the bytes that it and its children hold now; shared pages count for each."""
        total = 0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def said(self) -> str:
        """Return its last lines on stderr."""
        return "".join(self._last)

    def family(self) -> list[psutil.Process]:
        """Return the process and its children as they are now, itself first."""
        try:
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _listen(self) -> None:
        assert self._process.stderr is not None
        if not self._wanted:
            self._ready.set()
        for line in self._process.stderr:
            self._last.append(line)
            for pattern in list(self._wanted):
                if match := pattern.search(line.rstrip()):
                    self.found.extend(match.groups())
                    self._wanted.remove(pattern)
            if not self._wanted:
                self._ready.set()
        self._ready.set()


class Receiver(Program):
    """`python -m receiver` of this checkout on a free port; entered when its hooks are ready."""

    def __init__(
        self, *arguments: str, hooks: int = 1, environment: Mapping[str, str] | None = None
    ) -> None:
        """`hooks` is how many workers say that they are ready."""
        super().__init__(
            "receiver",
            ["receiver", "--port", "0", *arguments],
            ready=[r"see (http://\S+)/$", *["is ready"] * hooks],
            environment=environment,
        )

    @property
    def url(self) -> str:
        return self.found[0]
