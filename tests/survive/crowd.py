"""Crowd: many connections that do next to nothing, driven by one thread."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Crowd:
    """Opens connections, drips bytes into some, and notes when each was ended by the other side."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._waiting = selectors.DefaultSelector()
        self._lines: list[socket.socket] = []
        self._dripping: dict[socket.socket, bytes] = {}
        #: Seconds until the other side ended it, by kind.
        self.ended: dict[str, list[float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="crowd")

    def add(self, kind: str, count: int, sent: bytes, *, drip: bytes = b"") -> None:
        """Open `count` connections, send each `sent`, and `drip` again each second from then on."""
        self.ended.setdefault(kind, [])
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", self._port), 60)
            self._lines.append(line)
            line.sendall(sent)
            line.setblocking(False)
            self._waiting.register(line, selectors.EVENT_READ, (kind, time.monotonic()))
            if drip:
                self._dripping[line] = drip

    def hold(self, count: int, sent: bytes) -> None:
        """Open `count` connections that ask and never read."""
        for _ in range(count):
            line = socket.socket()
            self._lines.append(line)
            # Else the kernel, which may hold megabytes, reads for them for long.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.settimeout(60)
            line.connect(("127.0.0.1", self._port))
            line.sendall(sent)

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Begin to drip and to note; nobody is added any more."""
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._waiting.close()
        for line in self._lines:
            line.close()

    def _live(self) -> None:
        due = time.monotonic() + 1
        while not self._stop.is_set():
            for key, _ in self._waiting.select(0.2) if self._waiting.get_map() else ():
                line, (kind, since) = key.fileobj, key.data
                assert isinstance(line, socket.socket)
                try:
                    said = line.recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    said = b""
                # An answer counts too, for who gets one holds nothing any more.
                if not said or not said.startswith(b"HTTP/1.1 2"):
                    self.ended[kind].append(time.monotonic() - since)
                    self._waiting.unregister(line)
                    self._dripping.pop(line, None)
            self._stop.wait(0.05)
            if time.monotonic() >= due:
                due += 1
                for line, drip in list(self._dripping.items()):
                    try:
                        line.send(drip)
                    except BlockingIOError:
                        pass
                    except OSError:
                        self._dripping.pop(line)
