"""Ticket: what a caller holds who waits for the result of one frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from receiver.result import Result

#: closed: nothing became of the frame here, and it may come again; the receiver, or the camera, or
#: its hook's worker ended before.
Settlement = Literal["processed", "failed", "superseded", "closed"]


class Ticket:
    """Settled by whoever decides the frame's fate; waited for on the threads of its callers.

    One brings the frame, and others may bring it again before anything became of it.
    """

    def __init__(self) -> None:
        #: Held until it is settled. An Event costs several times as much, for each frame.
        self._unsettled = threading.Lock()
        self._unsettled.acquire()
        self.state: Settlement | None = None
        self.result: Result | None = None
        self._listener: Callable[[], object] | None = None

    def tell(self, listener: Callable[[], object]) -> None:
        """Have `listener` called when it is settled, on that thread; before anybody settles it."""
        self._listener = listener

    def settle(self, state: Settlement, result: Result | None = None) -> None:
        """Say what became of the frame; must not block. What is said first stands."""
        if self.state is None:
            self.result, self.state = result, state
            self._unsettled.release()
            if self._listener is not None:
                self._listener()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; say whether it was settled."""
        is_settled = self._unsettled.acquire(timeout=seconds)
        if is_settled:
            self._unsettled.release()  # for the others
        return is_settled
