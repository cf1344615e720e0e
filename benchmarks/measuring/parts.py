"""Parts: what a viewer reads of a multipart/x-mixed-replace body, however it is cut into pieces."""

from __future__ import annotations

import re

_BOUNDARY = re.compile(rb'\r\ncontent-type:[^\r]*boundary="?([^";\r]+)', re.IGNORECASE)
_MOST_HEADERS = 1 << 16


class Head:
    """Gathers a reply's headers."""

    def __init__(self) -> None:
        self._data = b""
        #: What ends a part and begins the next; None until the headers are there.
        self.delimiter: bytes | None = None

    def feed(self, piece: bytes) -> bytes:
        """Return what of `piece` is body; raise ConnectionError for another reply than a stream."""
        if self.delimiter is not None:
            return piece
        self._data, is_whole, body = (self._data + piece).partition(b"\r\n\r\n")
        if not is_whole:
            if len(self._data) > _MOST_HEADERS:
                raise ConnectionError("the headers of the reply do not end")
            return b""
        boundary = _BOUNDARY.search(self._data)
        if boundary is None or b" 200 " not in self._data[:16]:
            raise ConnectionError(f"expected a stream of pictures, got {self._data[:200]!r}")
        self.delimiter = b"--" + boundary[1] + b"\r\n"
        return body


class PartCounter:
    """Counts parts by their delimiters, without looking at what is between them."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._tail = b""

    def count(self, piece: bytes) -> int:
        """Return how many delimiters end in `piece`."""
        short = len(self._delimiter) - 1
        seam = self._tail + piece[:short]
        self._tail = (self._tail + piece[-short:])[-short:]
        return piece.count(self._delimiter) + seam.count(self._delimiter)


class Pictures:
    """Cuts out the JPEGs."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._data = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the pictures that `piece` completes."""
        self._data += piece
        *parts, self._data = self._data.split(self._delimiter)
        return [jpeg for part in parts if (jpeg := _jpeg_in(part))]


def _jpeg_in(part: bytearray) -> bytes:
    """Return the JPEG without the headers and the transfer coding around it; else nothing."""
    start, end = part.find(b"\xff\xd8"), part.rfind(b"\xff\xd9")
    return bytes(part[start : end + 2]) if 0 <= start < end else b""
