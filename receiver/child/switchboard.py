"""Switchboard: wait for whatever comes first from several children, or for a bell."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress
from typing import Any

from receiver.child.child import Child
from receiver.child.pipe import PipeClosed

#: What a child said: a header and bytes; or None: it has ended.
Message = tuple[dict[str, Any], bytes] | None


class Switchboard:
    """Hear children on one thread; `ring` ends a wait from any. Their output goes to the log.

    Between `open` and `close`, for the thread that hears; before and after, a ring is nothing.
    """

    def __init__(self) -> None:
        self._ringer: socket.socket | None = None

    def open(self) -> None:
        self._bell, ringer = socket.socketpair()
        self._bell.setblocking(False)
        ringer.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._ringer = ringer

    def ring(self) -> None:
        if self._ringer is not None:
            with suppress(OSError):  # full: it wakes anyway; closed: nobody waits any more
                self._ringer.send(b"\0")

    def add(self, child: Child) -> None:
        self._selector.register(child.pipe, selectors.EVENT_READ, child)
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def wait(self, until: float) -> list[tuple[Child, Message]]:
        """Return what children have said, empty at `until` (monotonic seconds) or at the bell."""
        heard: list[tuple[Child, Message]] = []
        for key, _ in self._selector.select(max(0.0, until - time.monotonic())):
            child: Child | None = key.data
            if child is None:
                with suppress(BlockingIOError):
                    self._bell.recv(4096)
            elif key.fileobj is child.output:
                child.output.read()
                if child.output.ended:
                    self._selector.unregister(child.output)
            else:
                heard.append((child, _receive(child)))
        return heard

    def bury(self, child: Child) -> str:
        """Hear it no more; reap it, and return how it ended."""
        for end in (child.pipe, child.output):
            with suppress(KeyError):  # its output may have ended before
                self._selector.unregister(end)
        return child.bury()

    def close(self) -> None:
        self._selector.close()
        self._bell.close()
        if self._ringer is not None:
            self._ringer.close()


def _receive(child: Child) -> Message:
    try:
        return child.pipe.receive()
    except PipeClosed:
        return None
