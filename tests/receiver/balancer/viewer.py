"""Viewer: reads a camera's live view part by part."""

from __future__ import annotations

from http.client import HTTPConnection
from types import TracebackType
from typing import Self

from shared import wire


class Viewer:
    """One connection to stream.mjpg; `status` is the answer's."""

    def __init__(self, port: int, camera: str, *, host: str = "127.0.0.1") -> None:
        self._connection = HTTPConnection(host, port, timeout=30)
        self._connection.request("GET", f"/cameras/{camera}/stream.mjpg")
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def next(self) -> int:
        """Return the number of the next picture."""
        headers: dict[str, str] = {}
        while True:
            line = self.response.readline()
            assert line, "the live view ended"
            name, colon, value = line.decode().strip().partition(": ")
            if colon:
                headers[name] = value
            elif not name and headers:
                break
        self.response.read(int(headers["Content-Length"]))
        return int(headers[wire.SEQ])

    def wait_for(self, seq: int) -> None:
        """Read on to the picture of that number: a picture is repeated while there is no other."""
        while self.next() != seq:
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.response.close()
        self._connection.close()
