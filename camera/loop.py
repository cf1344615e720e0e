"""LoopThread: an asyncio loop on a thread of its own, and calls into it from other threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
_CALL_SECONDS = 10.0


class LoopThread:
    """Run a loop from construction until `stop`. Every method may be called from any thread
    but the loop's own."""

    def __init__(self, name: str) -> None:
        #: The first exception that a callback let go; such a one is a bug.
        self.error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._ready.wait()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` to its end in the loop; return what it returns, raise what it raises."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_SECONDS)

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` in the loop's thread and wait for what it returns."""

        async def call() -> T:
            return function()

        return self.run(call())

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Have `function` called in the loop's thread soon; do not wait."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        """End the loop and wait for its thread."""
        assert self._end is not None
        self.post(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._failed)
        self._end = asyncio.Event()
        self._ready.set()
        await self._end.wait()

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.error = self.error or error
        logger.error("%s", context["message"], exc_info=error)
