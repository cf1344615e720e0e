"""Pulse: once a second a sample for the history, and what all walls say of cameras and hooks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from receiver.history import PERIOD
from receiver.view.records import record
from shared.latest import Latest
from shared.worker import Worker


class Pulse(Worker):
    """Puts a record of kind `status` into `status` each second while anybody listens there.

    So it is made once for all of them. Whether they do or not, `tick` is called first.
    """

    def __init__(
        self,
        facts: Callable[[], Mapping[str, Any]],
        *,
        tick: Callable[[], None] = lambda: None,
        period: float = PERIOD,
    ) -> None:
        """`facts` are what the record says; JSON-able."""
        super().__init__("pulse")
        self.status: Latest[bytes] = Latest()
        self._facts = facts
        self._tick = tick
        self._period = period
        self._due = time.monotonic() + period
        self._lock = threading.Lock()
        self._listeners = 0
        self._made_at = float("-inf")

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `status` be new now and each second, and call `listener` then; see Latest.listen."""
        stop = self.status.listen(listener)
        with self._lock:
            self._listeners += 1
            if time.monotonic() - self._made_at >= self._period:
                self._make()

        def leave() -> None:
            stop()
            with self._lock:
                self._listeners -= 1

        return leave

    def step(self) -> None:
        self.pause(self._due - time.monotonic())
        if self.stopping:
            return
        # One that comes late does not shift the rest; those that were missed are left out.
        now = time.monotonic()
        self._due = max(self._due, now - self._period / 2) + self._period
        self._tick()
        with self._lock:
            if self._listeners:
                self._make()

    def ask_to_stop(self) -> None:
        super().ask_to_stop()
        self.status.close()

    def _make(self) -> None:
        self._made_at = time.monotonic()
        self.status.put(record("status", self._facts()))
