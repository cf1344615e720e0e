"""Body: the bytes of an HTTP answer, as they arrive, within a time."""

from __future__ import annotations

import time
from contextlib import suppress

import requests
from urllib3.exceptions import HTTPError

from sender.sources.http_camera import root_of
from sender.sources.interrupt import Interrupt
from sender.sources.trouble import explain

_CHUNK = 64 << 10


class Body:
    """Read an answer's body piece by piece. A camera that drips is late as a whole."""

    def __init__(self, answer: requests.Response, interrupt: Interrupt, *, name: str) -> None:
        self._answer = answer
        self._interrupt = interrupt
        self._name = name
        self._deadline = float("inf")
        #: Monotonic seconds when the newest piece had been read.
        self.received = time.monotonic()

    def within(self, timeout: float) -> None:
        """Let the pieces from now on take `timeout` seconds in all."""
        self._deadline = time.monotonic() + timeout

    def receive(self) -> bytes:
        """Return the next piece, or b"" at the end; raise SourceError."""
        trouble: Exception
        try:
            with self._interrupt.ending(self._shut_down):
                piece: bytes = self._answer.raw.read1(_CHUNK)
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
        self._answer.close()

    def _shut_down(self) -> None:
        # It may have ended a moment ago, and then there is nothing to shut down.
        with suppress(OSError, ValueError, RuntimeError):
            self._answer.raw.shutdown()
