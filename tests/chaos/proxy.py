"""ChaosProxy: stands in front of any server, and does to its line what it is told."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self

from tests.chaos.connection import PIECE, Connection, shrink
from tests.chaos.reply_cut import ReplyCut
from tests.chaos.toxics import Reset, Toxic

#: Seconds for the proxy's loop to do what another thread asks.
_PATIENCE = 10.0


class ChaosProxy:
    """Listens from `__enter__` to `__exit__`, with one thread; its methods come from any other.

    `up` is what happens on the way to the server, `down` on the way back, each from the first to
    the last. Everything random follows from `seed` and the numbers of the connections.
    """

    def __init__(
        self,
        to: int | tuple[str, int],
        *,
        listen: tuple[str, int] = ("127.0.0.1", 0),
        up: Sequence[Toxic] = (),
        down: Sequence[Toxic] = (),
        cut: ReplyCut | None = None,
        seed: int = 0,
    ) -> None:
        """Stand before `to`, a port of this machine or (host, port); port 0: any free one."""
        self._to = ("127.0.0.1", to) if isinstance(to, int) else to
        self._host, self.port = listen
        self._up, self._down, self._cut = up, down, cut
        self._seed = seed
        self._numbers = itertools.count()
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._listener: asyncio.Server | None = None
        self._ready = threading.Event()
        self._trouble: OSError | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="chaos")

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._trouble is not None:
            self._thread.join()
            raise self._trouble
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def change(self, *, up: Sequence[Toxic] = (), down: Sequence[Toxic] = ()) -> None:
        """Let this happen to connections that come from now on, instead of all before."""
        self._up, self._down = up, down

    def black_hole(self) -> None:
        """Accept, and let nothing pass, not even ends; what is on its way stops where it is."""
        self._loop.call_soon_threadsafe(self._gate.clear)

    def refuse(self) -> None:
        """Refuse connections, and reset those that are."""
        self._do(self._refuse())

    def clear(self) -> None:
        """End `black_hole` and `refuse`: connections go on where they stopped."""
        self._do(self._clear())

    def reset(self) -> None:
        """Reset every connection."""
        self._do(self._reset())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(_PATIENCE)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()
        try:
            await self._listen()
        except OSError as exc:
            self._trouble = exc
            return
        finally:
            self._ready.set()
        await self._end.wait()
        await self._refuse()

    async def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        sock = socket.socket(family)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            shrink(sock)  # those that it accepts are as it is
            sock.bind((self._host, self.port))
            self.port = sock.getsockname()[1]
            self._listener = await asyncio.start_server(self._accept, sock=sock, limit=PIECE)
        except BaseException:
            sock.close()
            raise

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(
            next(self._numbers), reader, writer, gate=self._gate, seed=self._seed
        )
        carrying = connection.run(self._to, up=self._up, down=self._down, cut=self._cut)
        task = self._loop.create_task(carrying)
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._reset()

    async def _clear(self) -> None:
        self._gate.set()
        if self._listener is None:
            await self._listen()

    async def _reset(self) -> None:
        connections = list(self._connections.items())
        for task, connection in connections:
            connection.end(Reset())
            task.cancel()
        await asyncio.gather(*(task for task, _ in connections), return_exceptions=True)
