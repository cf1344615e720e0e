"""Receiver: one of this checkout, run as a user runs it, for as long as a benchmark takes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent


class Receiver:
    """`python -m receiver` on a free port; entered when its hook is ready."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "receiver", "--port", "0", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        last: deque[str] = deque(maxlen=5)
        is_ready = False
        for line in self._process.stderr:
            last.append(line)
            if found := re.search(r"see (http://\S+)/$", line.rstrip()):
                self.url = found[1]
            is_ready = is_ready or "is ready" in line
            if self.url and is_ready:
                return self
        self._process.wait()
        raise RuntimeError("the receiver did not start:\n" + "".join(last))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stderr is not None
        self._process.stderr.close()
