"""Interrupt: how another thread ends a source's wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sender.sources.contract import SourceError


class Interrupt:
    """A flag that ends waits. `set` from any thread, all else from the thread that waits.

    It stays set until `clear`, so an interrupt that comes between two waits ends the next one.
    """

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._wake: Callable[[], object] | None = None

    def set(self) -> None:
        with self._lock:
            self._set.set()
            if self._wake is not None:
                self._wake()

    def clear(self) -> None:
        self._set.clear()

    def check(self) -> None:
        """Raise SourceError when set."""
        if self._set.is_set():
            raise SourceError("the source was told to stop", reason="interrupted")

    def wait(self, seconds: float) -> None:
        """Sleep; raise SourceError as soon as it is set."""
        self._set.wait(max(0.0, seconds))
        self.check()

    @contextmanager
    def ending(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` when set while the block runs; raise SourceError when it is set already.

        `wake` runs on the thread that sets; it must not block and must not raise.
        """
        with self._lock:
            self.check()
            self._wake = wake
        try:
            yield
        finally:
            with self._lock:
                self._wake = None
