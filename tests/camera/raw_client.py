"""A client that says exactly what a test wants said, right or wrong."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, list[str]]
    body: str

    def header(self, name: str) -> str:
        return self.headers[name][0]


class RawClient:
    """One TCP connection to the camera; `timeout` seconds for whatever is waited for."""

    def __init__(self, url: str, *, timeout: float = 5.0, receive_buffer: int = 0) -> None:
        self.url = url
        self.session = ""
        parts = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect((parts.hostname, parts.port))
        except OSError:
            self.socket.close()
            raise
        self._file = self.socket.makefile("rb")
        self._cseq = 0

    def request(self, method: str, *, url: str = "", **headers: str) -> Response:
        self._cseq += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        response = self.say("\r\n".join(lines) + "\r\n\r\n")
        assert response.header("cseq") == str(self._cseq)
        return response

    def say(self, text: str) -> Response:
        """Send `text` as it stands; return the next response, skipping media."""
        self.socket.sendall(text.encode())
        while True:
            first = self._file.read(1)
            if not first:
                raise EOFError("the camera closed the connection")
            if first != b"$":
                return self._read_response(first)
            self._read_packet()

    def packet(self) -> tuple[int, bytes]:
        """Return the next interleaved packet and its channel."""
        first = self._file.read(1)
        if not first:
            raise EOFError("the camera closed the connection")
        assert first == b"$"
        return self._read_packet()

    def rtp(self) -> bytes:
        """Return the next RTP packet."""
        while (found := self.packet())[0] != 0:
            pass
        return found[1]

    def setup(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Response:
        response = self.request("SETUP", url=f"{self.url}/trackID=0", Transport=transport)
        if response.status == 200:
            self.session = response.header("session").partition(";")[0]
        return response

    def play(self) -> Response:
        """Set up over TCP and play."""
        assert self.setup().status == 200
        return self.request("PLAY", Session=self.session)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read_packet(self) -> tuple[int, bytes]:
        head = self._file.read(3)
        return head[0], self._file.read(int.from_bytes(head[1:]))

    def _read_response(self, first: bytes) -> Response:
        status_line = (first + self._file.readline()).decode()
        headers: dict[str, list[str]] = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        length = int(headers.get("content-length", ["0"])[0])
        return Response(int(status_line.split()[1]), headers, self._file.read(length).decode())
