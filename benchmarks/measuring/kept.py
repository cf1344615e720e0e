"""Kept: a connection to a server of HTTP that is kept, and what is asked over it."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_SOME = 1 << 16


class Kept:
    """Plain HTTP/1.1 on a socket, as lean as a program can be. One request is under way at a time.

    For a selector: readable when an answer comes.
    """

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname, place.port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, *pieces: bytes | memoryview) -> None:
        """Send a request, see `post`."""
        whole = sum(map(len, pieces))
        sent = self._socket.sendmsg(pieces)
        if sent < whole:
            for piece in pieces:
                if sent < len(piece):
                    self._socket.sendall(memoryview(piece)[max(0, sent) :])
                sent -= len(piece)

    def receive(self) -> bytes:
        """Return the body of the answer; raise ConnectionError for any but 200."""
        data = self._socket.recv(_SOME)
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise ConnectionError(f"expected a Content-Length, got {head[:500]!r}")
        while len(body) < int(length[1]):
            body += self._more()
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"expected status 200, got {head[:60]!r} {body[:500]!r}")
        return body

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> bytes:
        more = self._socket.recv(_SOME)
        if not more:
            raise ConnectionError("the server ended the connection")
        return more


def post(target: str, size: int, **headers: str) -> bytes:
    """Return the head of a POST whose body has `size` bytes."""
    fields = {"Host": "benchmark", "Content-Length": str(size)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
