"""Body: the bytes of an HTTP answer, as they arrive, within a time."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

import requests
from urllib3.exceptions import HTTPError

from sender.sources.http_camera import root_of
from sender.sources.interrupt import Interrupt
from sender.sources.trouble import explain

_CHUNK = 64 << 10
#: From so many bytes on it pays to let the kernel gather them.
_GATHERED = 4 << 10


class Body:
    """Read an answer's body piece by piece. A camera that drips is late as a whole."""

    def __init__(self, answer: requests.Response, interrupt: Interrupt, *, name: str) -> None:
        self._answer = answer
        self._interrupt = interrupt
        self._name = name
        self._deadline = float("inf")
        self._line = _Line(answer)
        #: Monotonic seconds when the newest piece had been read.
        self.received = time.monotonic()

    def within(self, timeout: float) -> None:
        """Let the pieces from now on take `timeout` seconds in all."""
        self._deadline = time.monotonic() + timeout

    def receive(self, least: int = 1) -> bytes:
        """Return the next piece, or b"" at the end; raise SourceError.

        So many bytes will come at `least`, and are waited for where that is cheaper.
        """
        trouble: Exception
        try:
            with self._interrupt.ending(self._shut_down):
                self._line.gather(least)
                piece: bytes = self._answer.raw.read1(max(least, _CHUNK))
            self._interrupt.check()
            self.received = time.monotonic()
            if time.monotonic() < self._deadline:
                return piece
            trouble = TimeoutError()
        except (HTTPError, OSError) as exc:
            self._interrupt.check()
            trouble = root_of(exc)
        raise explain(trouble, self._name)

    def close(self) -> None:
        self._line.close()
        self._answer.close()

    def _shut_down(self) -> None:
        # It may have ended a moment ago, and then there is nothing to shut down.
        with suppress(OSError, ValueError, RuntimeError):
            self._answer.raw.shutdown()


class _Line:
    """The connection below an answer: how many bytes end a wait for some.

    A picture of 200 kB comes in many packets, and to wake up for each costs more than to read them.
    """

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer
        self._least = 1
        self._socket: socket.socket | None = None
        # TLS may have read already what the kernel would be asked to wait for.
        self._can_gather = answer.url.startswith("http:") and hasattr(socket, "SO_RCVLOWAT")

    def gather(self, least: int) -> None:
        """Let the next wait last until so many bytes are there, or all that the kernel holds."""
        least = least if least >= _GATHERED else 1
        if least == self._least or not self._can_gather:
            return
        try:
            if self._socket is None:
                self._socket = socket.socket(fileno=os.dup(self._answer.raw.fileno()))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
        except OSError:
            # The system does not know it: the first bytes end a wait.
            self._can_gather = False
        self._least = least

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
