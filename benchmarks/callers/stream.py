"""All pictures in one endless request, each answered with a line."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

from benchmarks.callers.contract import Shot, check

_HEAD = (
    "POST /cameras/stream/stream?mode=every HTTP/1.1\r\n"
    "Host: benchmark\r\n"
    "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    "Accept: application/x-ndjson\r\n"
    "Prefer: wait=10\r\n"
    "Transfer-Encoding: chunked\r\n"
    "\r\n"
)


class Stream:
    """A socket, as a program in any language would use it."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")
        self._socket.sendall(_HEAD.encode())

    def call(self, shot: Shot) -> float:
        started = time.perf_counter()
        part = (
            f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shot.jpeg)}\r\n\r\n"
        ).encode()
        size = len(part) + len(shot.jpeg) + 2
        self._socket.sendall(b"%x\r\n" % size + part + shot.jpeg + b"\r\n\r\n")
        answer = json.loads(self._line())
        seconds = time.perf_counter() - started
        check(shot, answer["result"])
        return seconds

    def close(self) -> None:
        self._socket.sendall(b"0\r\n\r\n")
        self._lines.close()
        self._socket.close()

    def _line(self) -> bytes:
        """Return the next line with an answer: between them are the reply's head and chunks."""
        while not (line := self._lines.readline()).startswith(b"{"):
            if not line:
                raise ConnectionError("the stream has ended")
        return line
