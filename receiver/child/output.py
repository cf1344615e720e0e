"""Output: what a child process prints, as lines of our log; a flood is counted, not repeated."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

logger = logging.getLogger(__name__)

_BURST = 200
_LINES_PER_SECOND = 20.0
_MAX_LINE = 2000
_CHUNK, _CHUNKS = 1 << 16, 16
#: Seconds for which nobody looks after a flood: what it prints meanwhile comes in one piece.
_REST = 0.05
#: Lines that are kept whether they are told or not, looked for in so many of the last bytes.
_RECENT, _TAIL = 20, 8192
_LINE_END = re.compile(rb"\r\n|\n|\r")
#: What a terminal obeys instead of showing it: ECMA-48, sections 5.3 to 5.6.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|[ -/]*[0-~])"
)
#: What else would change how a line is shown: C0, C1, line ends, and the turns of direction.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Output:
    """The reading end of a child's stdout and stderr. For the child's thread."""

    def __init__(
        self,
        fd: int,
        *,
        label: str,
        level: int = logging.INFO,
        heard: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`heard` gets what is logged, without the label, and must not block."""
        self._fd = fd
        self._label = label
        self._level = level
        self._heard = heard
        self._clock = clock
        self._rest = b""
        self._allowed = float(_BURST)
        self._at = clock()
        self._left_out = 0
        self.ended = False
        #: The last lines, whether logged or not.
        self.recent: deque[str] = deque(maxlen=_RECENT)
        #: Monotonic seconds; until then it need not be read. In a flood the pipe fills meanwhile,
        #: and whoever prints has to wait: that costs him, and nobody else.
        self.rests_until = 0.0
        os.set_blocking(fd, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # one user's pipes may take so much and no more; see pipe(7)
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _CHUNK * _CHUNKS)

    def fileno(self) -> int:
        return self._fd

    def read(self) -> None:
        """Log the lines that have come; never blocks, and takes a bounded time."""
        left_out = self._left_out
        for _ in range(_CHUNKS):
            try:
                data = os.read(self._fd, _CHUNK)
            except BlockingIOError:
                break
            if not data:
                self.ended = True
                break
            self._hear(self._rest + data)
        if self._left_out > left_out:
            self.rests_until = time.monotonic() + _REST

    def wait(self, seconds: float) -> None:
        """Give the child so long to print, line by line perhaps, and log it."""
        end = time.monotonic() + seconds
        while not self.ended and (left := end - time.monotonic()) > 0:
            select.select([self._fd], [], [], left)
            self.read()

    def flush(self) -> None:
        """Log an unfinished last line, and how many lines were left out."""
        if self._rest:
            self._hear(self._rest + b"\n")
        self._confess()

    def _hear(self, data: bytes) -> None:
        """Log the lines of `data` that may be logged, count the others, keep what is no line."""
        now = self._clock()
        self._allowed = min(_BURST, self._allowed + (now - self._at) * _LINES_PER_SECOND)
        self._at = now
        while self._may_tell() and _LINE_END.search(data):
            *lines, data = _LINE_END.split(data, int(self._allowed))
            for line in lines:
                self._log(line)
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end:
            self._leave_out(data[:end])
        self._rest = data[end:]
        if len(self._rest) > _MAX_LINE:
            self._hear(self._rest + b"\n")

    def _may_tell(self) -> bool:
        # Where lines were left out, it is told again only when there is room for some.
        return self._allowed >= (_BURST / 4 if self._left_out else 1)

    def _log(self, line: bytes) -> None:
        text = _show(line)
        if text:
            self.recent.append(text)
            self._confess()
            self._allowed -= 1
            self._tell(text)

    def _leave_out(self, lines: bytes) -> None:
        """Count whole lines, at a cost that hardly depends on how many they are."""
        self._left_out += lines.count(b"\n") + lines.count(b"\r") - lines.count(b"\r\n")
        last = _LINE_END.split(lines[-_TAIL:])[-_RECENT - 1 :]
        self.recent.extend(filter(None, map(_show, last)))

    def _confess(self) -> None:
        if self._left_out:
            self._tell(f"... {self._left_out} lines left out ...")
            self._left_out = 0

    def _tell(self, text: str) -> None:
        logger.log(self._level, "%s | %s", self._label, text)
        if self._heard is not None:
            self._heard(text)


def _show(line: bytes) -> str:
    return plain(line[:_MAX_LINE].decode(errors="replace"))


def plain(line: str) -> str:
    """Return a line that is harmless to show: without a terminal's sequences, with control
    characters as `\\x07`, of at most 2000 characters.
    """
    text = line[:_MAX_LINE].rstrip()
    if not text.isprintable():
        text = _SEQUENCE.sub("", text).expandtabs().rstrip()
        text = _CONTROL.sub(_name, text)[:_MAX_LINE].rstrip()
    return text


def _name(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
