"""Ticket: what a caller holds who waits for the result of one frame."""

from __future__ import annotations

import threading
from typing import Literal

from receiver.result import Result

#: closed: the receiver, or the camera, ended before the frame's turn.
Settlement = Literal["processed", "failed", "superseded", "closed"]


class Ticket:
    """Settled once, by whoever decides the frame's fate; waited for on the caller's thread."""

    def __init__(self) -> None:
        self._settled = threading.Event()
        self.state: Settlement | None = None
        self.result: Result | None = None

    def settle(self, state: Settlement, result: Result | None = None) -> None:
        """Say what became of the frame; must not block. What is said first stands."""
        if not self._settled.is_set():
            self.state, self.result = state, result
            self._settled.set()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; say whether it was settled."""
        return self._settled.wait(seconds)
