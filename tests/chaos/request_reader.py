"""RequestReader: finds where each request of a connection ends, from the bytes that pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

#: A head that is longer is no HTTP that a frame travels in.
_LONGEST_HEAD = 64 << 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has passed whole; `headers` with small letters."""

    line: str
    headers: dict[str, str]

    @property
    def frame(self) -> tuple[str, str]:
        """Which frame it carries: (epoch, seq), as they stand in its headers."""
        return self.headers.get("x-frame-epoch", ""), self.headers.get("x-frame-seq", "")


class RequestReader:
    """Told all bytes of one connection. Knows bodies with a Content-Length, and gives up else."""

    def __init__(self) -> None:
        self._head = b""
        self._request: Request | None = None
        self._missing = 0
        self._is_lost = False

    def feed(self, data: bytes) -> Iterator[Request]:
        """Yield each request whose last byte is in `data`."""
        while data and not self._is_lost:
            if self._request is None:
                data = self._read_head(data)
            else:
                taken = min(self._missing, len(data))
                self._missing -= taken
                data = data[taken:]
            if self._request is not None and not self._missing:
                yield self._request
                self._request = None

    def _read_head(self, data: bytes) -> bytes:
        """Take what belongs to the head; return the rest."""
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end:
            self._head = head
            self._is_lost = len(head) > _LONGEST_HEAD
            return b""
        self._head = b""
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {}
        for field in fields:
            name, _, value = field.partition(":")
            headers[name.strip().lower()] = value.strip()
        self._is_lost = "transfer-encoding" in headers
        if self._is_lost:
            return b""
        self._missing = int(headers.get("content-length", 0))
        self._request = Request(line, headers)
        return rest
