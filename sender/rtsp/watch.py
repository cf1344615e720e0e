"""Watch: waits for several sockets at once, until a moment or an interrupt."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress

from sender.sources.interrupt import Interrupt

READABLE = selectors.EVENT_READ
WRITABLE = selectors.EVENT_WRITE


class Watch:
    """For one thread; the interrupt comes from others, and ends a wait at once.

    The sockets stay their owners', who take them out before they close them.
    """

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._selector.register(self._bell, READABLE)

    def add(self, sock: socket.socket, events: int) -> None:
        self._selector.register(sock, events)

    def change(self, sock: socket.socket, events: int) -> None:
        self._selector.modify(sock, events)

    def remove(self, sock: socket.socket) -> None:
        """Watch it no longer; harmless when it is not watched."""
        with suppress(KeyError, ValueError):  # ValueError: TLS has taken over its descriptor
            self._selector.unregister(sock)

    def wait(self, until: float) -> dict[object, int]:
        """Return the sockets that are ready, and for what; none of them when `until` came first.

        `until` is monotonic seconds; one in the past only looks. Raise SourceError when the
        interrupt is set.
        """
        with self._interrupt.ending(self._ring):
            keys = self._selector.select(max(0.0, until - time.monotonic()))
        self._interrupt.check()
        return {key.fileobj: events for key, events in keys}

    def close(self) -> None:
        self._selector.close()
        self._bell.close()
        self._rope.close()

    def _ring(self) -> None:
        with suppress(OSError):  # it rings already
            self._rope.send(b"\0")
