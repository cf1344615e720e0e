"""Worker: one thread that calls one `step` again and again."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

logger = logging.getLogger(__name__)


class Worker:
    """Call `step` on a thread of its own until stopped.

    Subclasses override `step`: one unit of work, back within about a second. `open` and `close`
    run once each on the same thread; `close` must bear an `open` that failed half-way. Override
    `wake` to end a wait inside `step`. Tests call `step` by hand and need no thread at all.

    An exception that leaves `step` is a bug: it is logged, kept in `error`, and ends the thread.
    Whoever owns the worker looks at `error` and ends the process.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Prepare; runs once before the first step."""

    def step(self) -> None:
        """Do one unit of work."""
        raise NotImplementedError  # every subclass has one

    def close(self) -> None:
        """Put away; runs once after the last step."""

    def wake(self) -> None:
        """End a wait inside `step` early; called by `stop`, on the stopper's thread."""

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        return self

    def ask_to_stop(self) -> None:
        """Ask, and return at once; several workers can so end at the same time."""
        self._stopping.set()
        self.wake()

    def stop(self, timeout: float = 5.0) -> bool:
        """Ask, then wait for the thread's end; False (and a warning) when it did not come."""
        self.ask_to_stop()
        if self.join(timeout):
            return True
        logger.warning("%s did not stop within %.1f s", self.name, timeout)
        return False

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; True when it came, or there is no thread to wait for."""
        if self._thread is None or self._thread is threading.current_thread():
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def finish(self) -> None:
        """End after the current step; for the worker itself, when its work is done."""
        self._stopping.set()

    def pause(self, seconds: float) -> None:
        """Sleep, but not past a stop."""
        self._stopping.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            try:
                self.open()
                while not self._stopping.is_set():
                    self.step()
            finally:
                self.close()
        except Exception as exc:  # the one place where a bug is made known
            self.error = exc
            logger.exception("%s died", self.name)
