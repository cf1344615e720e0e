"""Attempt: a blocking call that cannot be trusted to come back in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from sender.sources.interrupt import Interrupt

T = TypeVar("T")


class Overdue(Exception):
    """Raised when the call did not come back in time."""


class Attempt(Generic[T]):
    """Run `call` on a thread of its own, and wait for it only so long.

    Connecting blocks in places that no timeout reaches: a name server that does not answer, a
    driver, an answer that comes one byte a second. A call that is late is left to itself; what it
    returns in the end is given to `discard`, on its own thread.
    """

    def __init__(self, call: Callable[[], T], *, discard: Callable[[T], None], name: str) -> None:
        self._call = call
        self._discard = discard
        self._name = name
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._left = False
        self._results: list[T] = []
        self._error: Exception | None = None

    def run(self, timeout: float, interrupt: Interrupt) -> T:
        """Return what the call returns, raise what it raises, or raise Overdue.

        Raise SourceError when `interrupt` was set.
        """
        with interrupt.ending(self._woken.set):
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._woken.wait(timeout)
        with self._lock:
            error, self._error = self._error, None
            if error is not None:
                try:
                    raise error
                finally:
                    del error  # or it would hold this frame, and the frame it
            if self._results:
                return self._results.pop()
            self._left = True
        interrupt.check()
        raise Overdue

    def _work(self) -> None:
        result: list[T] = []
        error: Exception | None = None
        try:
            result.append(self._call())
        except Exception as exc:  # noqa: BLE001 - it is raised by the thread that waits
            error = exc
        with self._lock:
            if not self._left:
                self._results, self._error = result, error
                result = []
        del error  # as above
        self._woken.set()
        for unwanted in result:
            self._discard(unwanted)
