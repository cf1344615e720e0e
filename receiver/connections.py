"""Connections: those of the server's port as the kernel sees them; ends the ones that stand still.

Granian opens, reads and writes its sockets in Rust and hands them to nobody, so they are looked for
among the process's own. Linux only; elsewhere none is found and nothing is done.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

logger = logging.getLogger(__name__)

#: Longer than any caller may wait for a result, for who waits looks like who stands still.
PATIENCE = 75.0
#: Who sends less in that time stands still too: else a byte now and then would hold a thread.
LEAST_BYTES = 8192
#: Seconds between two looks.
PAUSE = 15.0
#: A peer that vanished without a word is given up after so many seconds of silence, and as many
#: probes so many seconds apart; until then whoever waits for it holds a thread.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
#: Of a reply the kernel holds so many bytes that are not on their way yet, and not megabytes: to a
#: viewer who reads slowly those would be pictures of seconds ago. What is on its way is not bound.
_UNSENT = ("TCP_NOTSENT_LOWAT", 1 << 17)
#: tcpi_bytes_acked and tcpi_bytes_received in the kernel's struct tcp_info (linux/tcp.h).
_MOVED = struct.Struct("120x2Q")


@dataclass(slots=True)
class _Last:
    """When a connection last moved, and how many bytes had passed by then."""

    at: float
    acked: int
    received: int
    #: Whether it was told to end.
    told: bool = False


class Connections:
    """Of one port. For one thread."""

    def __init__(
        self,
        port: int,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._patience = patience
        self._clock = clock
        #: By inode, which is a socket's own for as long as it lives.
        self._last: dict[int, _Last] = {}

    def set_up(self) -> None:
        """Have lost peers noticed, and old pictures not pile up for slow ones.

        It is set on the socket that listens: what that accepts inherits it.
        """
        for found in self._sockets(listening=True):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in (*_KEEPALIVE, _UNSENT):
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def watch(self) -> NoReturn:
        """Look again and again, for ever."""
        while True:
            time.sleep(PAUSE)
            self.look()

    def look(self) -> int:
        """End those on which for `patience` seconds nothing was taken and next to nothing came.

        Return how many. Who is sending a body, or a head, slower than that, or reads no reply,
        holds a thread that nothing else would end.
        """
        now = self._clock()
        before, self._last = self._last, {}
        ended = 0
        for found in self._sockets(listening=False):
            with suppress(OSError):  # the peer was quicker
                acked, received = _MOVED.unpack_from(
                    found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _MOVED.size)
                )
                inode = os.fstat(found.fileno()).st_ino
                last = before.get(inode)
                if last is None or acked > last.acked or received >= last.received + LEAST_BYTES:
                    last = _Last(now, acked, received)
                self._last[inode] = last
                if now - last.at >= self._patience:
                    # Who waits for the body then has its end, and answers; failing that, the rest.
                    found.shutdown(socket.SHUT_RDWR if last.told else socket.SHUT_RD)
                    # Browsers open connections to have them at hand; that is none of a client's.
                    ended += received > 0 and not last.told
                    last.told = True
        if ended:
            seconds = f"{self._patience:g} s"
            logger.info("ended %d connections on which nothing moved for %s", ended, seconds)
        return ended

    def _sockets(self, *, listening: bool) -> Iterator[socket.socket]:
        """Yield the sockets of the port, each another handle of it that is closed behind."""
        folder = Path("/proc/self/fd")
        for one in folder.iterdir() if folder.exists() else ():
            with suppress(OSError):  # closed meanwhile
                if not one.is_socket():
                    continue
                with socket.socket(fileno=os.dup(int(one.name))) as found:
                    is_ours = found.getsockname()[1:2] == (self._port,)
                    accepts = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                    if is_ours and bool(accepts) == listening:
                        yield found
