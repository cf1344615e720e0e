"""Keys: single key presses from a terminal, without waiting for Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Keys:
    """Reads what is typed while `open`; where stdin is no terminal, there are no keys."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = sys.stdin.fileno() if fd is None else fd
        self._is_terminal = os.isatty(self._fd)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let the terminal pass keys on one by one, unseen; it is as before in the end."""
        if not self._is_terminal:
            yield
            return
        before = termios.tcgetattr(self._fd)
        try:
            tty.setcbreak(self._fd)
            yield
        finally:
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._fd, termios.TCSADRAIN, before)

    def wait(self, seconds: float) -> str:
        """Return the key that is pressed within the time, "" for none, "q" when input ended."""
        if not self._is_terminal:
            time.sleep(seconds)
            return ""
        if not os.isatty(self._fd):  # its window was closed
            return "q"
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return ""
        # One read takes a whole arrow key, which is three bytes and no key of ours.
        typed = os.read(self._fd, 64)
        return typed.decode("ascii", "ignore")[:1] if typed else "q"
