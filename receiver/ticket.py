"""Ticket: what a caller holds who waits for the result of one frame."""

from __future__ import annotations

import threading
from typing import Literal

from receiver.result import Result

#: closed: the receiver, or the camera, ended before the frame's turn.
Settlement = Literal["processed", "failed", "superseded", "closed"]


class Ticket:
    """Settled by whoever decides the frame's fate; waited for once, on the caller's thread."""

    def __init__(self) -> None:
        #: Held until it is settled. An Event costs several times as much, for each frame.
        self._unsettled = threading.Lock()
        self._unsettled.acquire()
        self.state: Settlement | None = None
        self.result: Result | None = None

    def settle(self, state: Settlement, result: Result | None = None) -> None:
        """Say what became of the frame; must not block. What is said first stands."""
        if self.state is None:
            self.result, self.state = result, state
            self._unsettled.release()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; say whether it was settled."""
        return self._unsettled.acquire(timeout=seconds)
