"""The connections of redis-py, on which every wait ends at the same moment."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

#: Seconds of one try to connect: whoever is told to stop meanwhile is not kept for longer.
_PIECE = 0.8
_WOULD_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Bounds:
    """Until when (monotonic seconds) a connection may wait, and whether it may at all.

    Only `interrupt` may come from another thread than the connection's.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.end = 0.0
        self.is_interrupted = False
        #: What is connected, None while nothing is.
        self.socket: socket.socket | None = None
        self._clock = clock

    def left(self) -> float:
        """Return the seconds, 0 when they are over; raise ConnectionAbortedError."""
        if self.is_interrupted:
            raise ConnectionAbortedError("interrupted")
        return max(0.0, self.end - self._clock())

    def interrupt(self) -> None:
        """End a wait, and refuse every later one."""
        self.is_interrupted = True
        sock = self.socket
        if sock is not None:
            _shut_down(sock)


class BoundSocket:
    """What redis-py takes for a socket; its waits are the bounds', whatever it is set to."""

    def __init__(self, sock: socket.socket, bounds: Bounds) -> None:
        self._socket = sock
        self._bounds = bounds
        bounds.socket = sock

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._bounds.left())
        try:
            self._socket.sendall(data)
        except _WOULD_WAIT:
            raise TimeoutError("timed out") from None

    def recv(self, size: int) -> bytes:
        self._socket.settimeout(self._bounds.left())
        try:
            return self._socket.recv(size)
        except _WOULD_WAIT:
            raise TimeoutError("timed out") from None

    def settimeout(self, seconds: float | None) -> None:
        """Leave that to the bounds."""

    def shutdown(self, _how: int) -> None:
        _shut_down(self._socket)

    def close(self) -> None:
        self._socket.close()


class _Bound:
    """Goes in front of a connection of redis-py's."""

    socket_timeout: float | None
    socket_connect_timeout: float | None

    def __init__(self, *, bounds: Bounds, **settings: Any) -> None:
        self._bounds = bounds
        super().__init__(**settings)

    def _connect(self) -> BoundSocket:
        while (left := self._bounds.left()) > 0:
            self.socket_connect_timeout = self.socket_timeout = min(_PIECE, left)
            with suppress(TimeoutError):
                sock: socket.socket = super()._connect()  # type: ignore[misc]
                return BoundSocket(sock, self._bounds)
        raise TimeoutError("timed out")


class TcpConnection(_Bound, Connection):
    """A plain one."""


class TlsConnection(_Bound, SSLConnection):
    """One with TLS."""


class UnixConnection(_Bound, UnixDomainSocketConnection):
    """One on the same host."""


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        # Not SSLSocket's own, which changes the object under the thread that reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
