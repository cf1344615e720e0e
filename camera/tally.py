"""Tally: what the camera did so far, and a way to wait until it did more."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Tally:
    """Counts since the camera was made. Read them from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: Clients that play now.
        self.clients = 0
        #: Frames that were made and handed to the clients.
        self.frames = 0
        #: Frames that one client missed because it did not read.
        self.dropped = 0
        #: Requests of each kind that were granted.
        self.plays = 0
        self.teardowns = 0

    def add(
        self,
        *,
        clients: int = 0,
        frames: int = 0,
        dropped: int = 0,
        plays: int = 0,
        teardowns: int = 0,
    ) -> None:
        with self._changed:
            self.clients += clients
            self.frames += frames
            self.dropped += dropped
            self.plays += plays
            self.teardowns += teardowns
            self._changed.notify_all()

    def wait_until(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Wait until `reached` says so, which is asked at each change; False on time-out."""
        with self._changed:
            return self._changed.wait_for(reached, timeout)
