"""Output: what a child process prints, as lines of our log; a flood is counted, not repeated."""

from __future__ import annotations

import logging
import os
import re
import select
import time
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

_BURST = 200
_LINES_PER_SECOND = 20.0
_MAX_LINE = 2000
_CHUNK = 1 << 16
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Output:
    """The reading end of a child's stdout and stderr. For the child's thread."""

    def __init__(
        self,
        fd: int,
        *,
        label: str,
        level: int = logging.INFO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fd = fd
        self._label = label
        self._level = level
        self._clock = clock
        self._rest = b""
        self._allowed = float(_BURST)
        self._at = clock()
        self._left_out = 0
        self.ended = False
        #: The last lines, whether logged or not.
        self.recent: deque[str] = deque(maxlen=20)
        os.set_blocking(fd, False)

    def fileno(self) -> int:
        return self._fd

    def read(self) -> None:
        """Log the lines that have come; never blocks, and takes a bounded time."""
        for _ in range(16):
            try:
                data = os.read(self._fd, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self.ended = True
                return
            *lines, self._rest = _LINE_END.split(self._rest + data)
            for line in lines:
                self._log(line)
            if len(self._rest) > _MAX_LINE:
                self._log(self._rest)
                self._rest = b""

    def wait(self, seconds: float) -> None:
        """Give the child so long to print, line by line perhaps, and log it."""
        end = time.monotonic() + seconds
        while not self.ended and (left := end - time.monotonic()) > 0:
            select.select([self._fd], [], [], left)
            self.read()

    def flush(self) -> None:
        """Log an unfinished last line, and how many lines were left out."""
        if self._rest:
            self._log(self._rest)
            self._rest = b""
        self._confess()

    def _log(self, line: bytes) -> None:
        if not line.strip():
            return
        text = line[:_MAX_LINE].decode(errors="replace").rstrip()
        self.recent.append(text)
        now = self._clock()
        self._allowed = min(_BURST, self._allowed + (now - self._at) * _LINES_PER_SECOND)
        self._at = now
        if self._allowed < 1 or (self._left_out and self._allowed < _BURST / 4):
            self._left_out += 1
            return
        self._confess()
        self._allowed -= 1
        logger.log(self._level, "%s | %s", self._label, text)

    def _confess(self) -> None:
        if self._left_out:
            logger.log(self._level, "%s | ... %d lines left out ...", self._label, self._left_out)
            self._left_out = 0
