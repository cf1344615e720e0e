"""A server of Server-Sent Events for the clients' tests: the same chunks for each who asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sender.doubles import RawServer

#: Events with every line end, a comment, a field over two lines, and bytes that are no ASCII.
TEXT = (
    ': a comment\n\nid: 1\nevent: result\ndata: {"camera": "a",\ndata: "result": "ü"}\n\n'
    "id:2\r\ndata: plain\r\n\r\nid: 3\rdata:\r\rdata: x\n\n"
).encode()
#: What is in it: id, kind, data.
EVENTS = [
    ("1", "result", {"camera": "a", "result": "ü"}),
    ("2", "message", "plain"),
    ("3", "message", ""),
    ("", "message", "x"),
]


def cut(content: bytes, size: int) -> list[bytes]:
    """Cut `content` into chunks of `size` bytes."""
    return [content[at : at + size] for at in range(0, len(content), size)]


@contextmanager
def event_server(
    *chunks: bytes, hold: bool = False, pause: float = 0.0
) -> Iterator[tuple[str, list[str]]]:
    """Give the URL of a server that sends these chunks to each who asks, and what was asked.

    Then it breaks off, or with `hold` says no more. With a `pause` before each, a client most
    likely reads them one by one.
    """
    asked: list[str] = []
    ended = threading.Event()

    def handle(connection: socket.socket, _number: int) -> None:
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            more = connection.recv(4096)
            if not more:
                return
            text += more
        asked.append(text.decode().lower())
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for chunk in chunks:
            ended.wait(pause)
            connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if hold:
            ended.wait(60)

    with RawServer(handle) as server:
        try:
            yield f"http://127.0.0.1:{server.port}", asked
        finally:
            ended.set()
