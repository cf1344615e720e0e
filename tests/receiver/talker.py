"""Talker: a client that sends a stream and reads its lines on one connection, byte by byte."""

from __future__ import annotations

import http.client
import json
import socket
from types import TracebackType
from typing import Any, Self

from shared import codec, pattern


def part(seq: int, jpeg: bytes | None = None, *, width: int = 160, height: int = 120) -> bytes:
    """Return a part; its picture shows `seq`, unless it is given."""
    jpeg = codec.encode(pattern.draw(seq, width, height), 80) if jpeg is None else jpeg
    head = (
        f"--frame\r\nContent-Length: {len(jpeg)}\r\nX-Frame-Epoch: e\r\nX-Frame-Seq: {seq}\r\n\r\n"
    )
    return head.encode() + jpeg + b"\r\n"


class Talker:
    """Keeps the request open until `end`."""

    def __init__(
        self,
        port: int,
        camera: str = "cam1",
        *,
        query: str = "",
        lines: bool = True,
        **headers: str,
    ) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), 10)
        fields = {"Host": "x", "Transfer-Encoding": "chunked"}
        fields |= {"Accept": "application/x-ndjson"} if lines else {}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.line.sendall(f"POST /cameras/{camera}/stream{query} HTTP/1.1\r\n{head}\r\n".encode())
        self.response = http.client.HTTPResponse(self.line)

    def send(self, data: bytes) -> None:
        self.line.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.line.sendall(b"0\r\n\r\n")

    def begin(self) -> int:
        """Read the head of the answer; return its status."""
        self.response.begin()
        return self.response.status

    def read(self) -> Any:
        """Return the next line, or the whole answer where there are no lines; None at the end."""
        content = self.response.readline()
        return json.loads(content) if content else None

    def ask(self, data: bytes) -> Any:
        """Send a part and return its line."""
        self.send(data)
        return self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.response.close()
        self.line.close()
