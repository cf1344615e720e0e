"""Switchboard: wait for whatever comes first from several children, or for a bell."""

from __future__ import annotations

import math
import select
import socket
import time
from contextlib import suppress
from typing import Any, Generic, TypeVar

from receiver.child.child import Child
from receiver.child.output import Output
from receiver.child.pipe import Pipe, PipeClosed

#: What a child said: a header and bytes; or None: it has ended.
Message = tuple[dict[str, Any], bytes] | None

C = TypeVar("C", bound=Child)


class Switchboard(Generic[C]):
    """Hear children on one thread; `ring` ends a wait from any. Their output goes to the log.

    Between `open` and `close`, for the thread that hears; before and after, a ring is nothing.
    """

    def __init__(self) -> None:
        self._ringer: socket.socket | None = None

    def open(self) -> None:
        self._bell, ringer = socket.socketpair()
        self._bell.setblocking(False)
        ringer.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._bell, select.POLLIN)
        #: By descriptor, its pipe's and its output's.
        self._children: dict[int, C] = {}
        #: Outputs that are not listened to for a while.
        self._resting: set[Output] = set()
        self._ringer = ringer

    def ring(self) -> None:
        if self._ringer is not None:
            with suppress(OSError):  # full: it wakes anyway; closed: nobody waits any more
                self._ringer.send(b"\0")

    def add(self, child: C) -> None:
        for end in (child.pipe, child.output):
            self._poll.register(end, select.POLLIN)
            self._children[end.fileno()] = child

    def wait(self, until: float) -> list[tuple[C, Message]]:
        """Return what children have said, empty at `until` (monotonic seconds) or at the bell."""
        heard: list[tuple[C, Message]] = []
        until = min([until, *(output.rests_until for output in self._resting)])
        # Rounded up, or the last millisecond would be waited for in vain again and again.
        for fd, _ in self._poll.poll(math.ceil(max(0.0, until - time.monotonic()) * 1000)):
            child = self._children.get(fd)
            if child is None:
                with suppress(BlockingIOError):
                    self._bell.recv(4096)
            elif fd == child.output.fileno():
                self._read(child.output)
            else:
                heard.append((child, _receive(child)))
        now = time.monotonic()
        for output in [output for output in self._resting if output.rests_until <= now]:
            self._resting.remove(output)
            self._poll.modify(output, select.POLLIN)
        return heard

    def bury(self, child: C) -> str:
        """Hear it no more; reap it, and return how it ended."""
        for end in (child.pipe, child.output):
            if end.fileno() in self._children:  # its output may have ended before
                self._forget(end)
        return child.bury()

    def close(self) -> None:
        self._bell.close()
        if self._ringer is not None:
            self._ringer.close()

    def _read(self, output: Output) -> None:
        output.read()
        if output.ended:
            self._forget(output)
        elif output.rests_until > time.monotonic():
            self._resting.add(output)
            self._poll.modify(output, 0)  # of its end it tells all the same

    def _forget(self, end: Pipe | Output) -> None:
        self._poll.unregister(end)
        self._resting -= {output for output in self._resting if output is end}
        del self._children[end.fileno()]


def _receive(child: Child) -> Message:
    try:
        return child.pipe.receive()
    except PipeClosed:
        return None
