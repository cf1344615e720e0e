"""Server: the camera's sockets and clients. For the loop's thread only."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from camera.connection import Connection
from camera.digest import Digest
from camera.faults import Faults
from camera.listener import Listener
from camera.outlet import UdpPorts
from camera.packets import RtpFrame
from camera.stream import Stream
from camera.tally import Tally

logger = logging.getLogger(__name__)

_PAIR_TRIES = 100


class Server:
    """Listens, and passes the stream's frames to the clients that play.

    It is the Stage of its connections.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        login: tuple[str, str] | None,
        faults: Faults,
        tally: Tally,
        timeout: float,
    ) -> None:
        self.guarded = login is not None
        self.digest = Digest(*(login or (secrets.token_hex(8), secrets.token_hex(8))))
        self.faults = faults
        self.tally = tally
        self.timeout = timeout
        self._stream = stream
        self._connections: set[Connection] = set()
        self._playing: set[Connection] = set()
        self._listener: Listener | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    async def open(self, host: str, port: int) -> int:
        """Listen, and return the port; raise OSError when that is not possible."""
        self.ports = await _open_pair(host, self._heard)
        try:
            chosen = await self.listen(host, port)
        except OSError:
            self.ports.close()
            raise
        self._sweep()
        return chosen

    async def listen(self, host: str, port: int) -> int:
        """Take new connections, after `refuse` again; raise OSError when the port is taken."""
        self._listener = Listener(host, port, lambda: Connection(self))
        return self._listener.port

    async def refuse(self) -> None:
        """Take no new connections: nobody listens any more. Those that are open go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()

    @property
    def listening(self) -> bool:
        return self._listener is not None

    def broadcast(self, frame: RtpFrame) -> None:
        """Give `frame` to every client that plays; none of them can hold it up."""
        if self.faults.silent:
            return
        for connection in self._playing:
            if connection.session is not None and not connection.session.deliver(frame):
                self.tally.add(dropped=1)

    def drop(self) -> None:
        """Cut every client off."""
        for connection in list(self._connections):
            connection.abort()

    async def close(self) -> None:
        """Let go of every client and socket; returns when they are gone."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self.refuse()
        self.drop()
        await self._empty.wait()
        self.ports.close()
        await asyncio.sleep(0)  # the loop closes sockets in its next round

    def describe(self, host: str) -> str:
        return self._stream.describe(host)

    def enter(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._empty.clear()

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def play(self, connection: Connection) -> None:
        assert connection.session is not None
        logger.info("%s plays over %s", connection.peer, connection.session.carrier)
        self._playing.add(connection)
        self._stream.want_key()
        self._stream.watch(True)
        self.tally.add(clients=1, plays=1)

    def pause(self, connection: Connection) -> None:
        assert connection.session is not None
        logger.info(
            "%s left after %d frames, %d of them dropped",
            connection.peer,
            connection.session.sent + connection.session.dropped,
            connection.session.dropped,
        )
        self._playing.discard(connection)
        self._stream.watch(bool(self._playing))
        self.tally.add(clients=-1)

    def _heard(self, address: tuple[str, int]) -> None:
        """A report of a client that plays over UDP shows that it is alive."""
        for connection in self._playing:
            if connection.rtcp_address == address:
                connection.heard_at = time.monotonic()

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            if now - connection.heard_at > self.timeout:
                logger.info("%s said nothing for %.0f s", connection.peer, self.timeout)
                connection.abort()
        loop = asyncio.get_running_loop()
        self._sweeper = loop.call_later(min(1.0, self.timeout / 4), self._sweep)


class _Reports(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[tuple[str, int]], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard(addr[:2])


async def _open_pair(host: str, heard: Callable[[tuple[str, int]], None]) -> UdpPorts:
    """Bind an even port and the next one (RFC 3550, 11).

    Raise OSError when none is free, or `host` is no address of this machine.
    """
    loop = asyncio.get_running_loop()
    for _ in range(_PAIR_TRIES):
        pair = _bind_pair(host)
        if pair is None:
            continue
        transports = [
            (await loop.create_datagram_endpoint(lambda: _Reports(heard), sock=bound))[0]
            for bound in pair
        ]
        return UdpPorts(*transports)
    raise OSError("no pair of UDP ports is free")


def _bind_pair(host: str) -> tuple[socket.socket, socket.socket] | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first, second = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
    is_pair = False
    try:
        first.bind((host, 0))
        port = first.getsockname()[1]
        if port % 2 == 0:
            with suppress(OSError):  # the neighbour is taken
                second.bind((host, port + 1))
                is_pair = True
    finally:
        if not is_pair:
            first.close()
            second.close()
    return (first, second) if is_pair else None
