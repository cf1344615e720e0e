"""Listener: the camera's listening socket. For the loop's thread only."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

logger = logging.getLogger(__name__)

#: What the system may hold for a client that does not read, so that it falls behind soon.
_SEND_BUFFER_BYTES = 256 * 1024
_BACKLOG = 128
#: Seconds before the next try when the system has no socket left for a client.
_PAUSE = 1.0


class Listener:
    """Take connections and give each a protocol that `make` makes.

    Raise OSError when the port is not to be had. Unlike asyncio's own server it knows which
    connections are half-made when it closes, so that none is forgotten.
    """

    def __init__(self, host: str, port: int, make: Callable[[], asyncio.Protocol]) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        # Connections inherit it.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[object]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._listen()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def close(self) -> None:
        """Refuse new connections; returns when those that are under way have their protocol."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._socket)
        while self._accept():
            pass
        self._socket.close()
        if self._arriving:
            await asyncio.wait(self._arriving)

    def _listen(self) -> None:
        self._retry = None
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> bool:
        """Take one connection; False when none waits."""
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as exc:
            logger.warning("cannot take a connection: %s", exc)
            self._loop.remove_reader(self._socket)
            self._retry = self._loop.call_later(_PAUSE, self._listen)
            return False
        connection.setblocking(False)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)
        return True
