"""Link: a line between two programs that is as slow, or as far, as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 16 << 10
#: What waits inside the link, in seconds of its bandwidth; beyond, the sender has to wait.
_BUFFER_SECONDS = 0.05


class Link:
    """Relay connections to a port of this machine; all share the bandwidth.

    `delay` is seconds in each direction, `rate` bytes a second towards the server, 0 for all.
    """

    def __init__(self, port: int, *, delay: float = 0.0, rate: float = 0.0) -> None:
        self.port = 0
        self._to = port
        self._delay = delay
        self._rate = rate
        #: Loop time at which the line has sent all that it was given.
        self._free = 0.0
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="link")

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0, limit=_PIECE)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._end.wait()
        server.close()

    async def _relay(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        # The link's end cancels what is still open.
        with suppress(asyncio.CancelledError, ConnectionError):
            server, there = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(
                self._carry(client, there, self._rate), self._carry(server, back, 0.0)
            )

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, rate: float
    ) -> None:
        under_way: deque[tuple[float, bytes]] = deque()
        came = asyncio.Event()

        async def deliver() -> None:
            while True:
                while not under_way:
                    came.clear()
                    await came.wait()
                due, data = under_way.popleft()
                await asyncio.sleep(due - self._loop.time())
                if not data:
                    target.close()
                    return
                target.write(data)

        delivery = asyncio.create_task(deliver())
        data = b"first"
        while data:
            try:
                data = await source.read(_PIECE)
            except ConnectionError:
                data = b""
            now = self._loop.time()
            leaves = now
            if rate and data:
                leaves = self._free = max(self._free, now) + len(data) / rate
            under_way.append((leaves + self._delay, data))
            came.set()
            await asyncio.sleep(max(0.0, leaves - now - _BUFFER_SECONDS))
        await delivery
