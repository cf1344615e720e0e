"""Multipart: the parts of an endless multipart/x-mixed-replace answer, as cameras write them.

RFC 2046, section 5.1, with what cameras make of it: no Content-Length, a wrong one, a boundary
that is announced with dashes that are not there or without those that are, lines that end in LF.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sender.sources.contract import SourceError
from shared import jpeg
from shared.errors import FrameError

#: The largest part that is taken; an 8K JPEG has less.
MAX_PART = 32 << 20
MAX_HEAD = 16 << 10

_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,10})[ \t]*\r?$")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class Multipart:
    """Take one part after the other out of a stream of bytes.

    `receive` returns the next bytes, at least one, or b"" at the end of the stream; what it raises
    passes through. A part is complete when its last byte came: where no length announces it, with
    the JPEG's own end marker, and only failing that with the boundary after it.
    """

    def __init__(self, receive: Callable[[], bytes], *, boundary: str | None, name: str) -> None:
        self._receive = receive
        self._name = name
        self._buffer = bytearray()
        bare = (boundary or "").strip("-")
        #: b"" until the first line of the stream has told it.
        self._delimiter = b"--" + bare.encode("latin-1", "replace") if bare else b""

    def next(self) -> bytes:
        """Return the next part's body; raise EOFError at the end, SourceError for no multipart."""
        head = self._take_head()
        length = _LENGTH.search(head)
        if length is not None and int(length[1]) > 0:
            return self._take(int(length[1]))
        return self._take_to_boundary()

    def _take_head(self) -> bytes:
        """Skip to the next boundary and return the lines behind it."""
        skipped = 0
        while True:
            if not self._delimiter:
                self._delimiter = self._find_delimiter()
            at = self._buffer.find(self._delimiter) if self._delimiter else -1
            if at >= 0:
                break
            if self._delimiter:
                unusable = max(0, len(self._buffer) - len(self._delimiter))
                skipped += unusable
                del self._buffer[:unusable]
            if skipped + len(self._buffer) > MAX_PART:
                raise self._no_multipart(f"no boundary in {MAX_PART >> 20} MiB")
            self._more()
        del self._buffer[: at + len(self._delimiter)]
        while (end := _HEAD_END.search(self._buffer)) is None:
            if self._buffer.startswith(b"--"):
                raise EOFError
            if len(self._buffer) > MAX_HEAD:
                raise self._no_multipart("the headers of a part have no end")
            self._more()
        head = bytes(self._buffer[: end.start()])
        del self._buffer[: end.end()]
        if head.startswith(b"--"):
            raise EOFError
        return head

    def _take(self, length: int) -> bytes:
        if length > MAX_PART:
            raise self._no_multipart(f"a part of {length} bytes, more than {MAX_PART >> 20} MiB")
        while len(self._buffer) < length:
            self._more()
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_to_boundary(self) -> bytes:
        searched = 0
        while (at := self._buffer.find(self._delimiter, searched)) < 0:
            if self._ends_a_jpeg():
                at = len(self._buffer)
                break
            if len(self._buffer) > MAX_PART:
                raise self._no_multipart(f"a part without an end in {MAX_PART >> 20} MiB")
            searched = max(0, len(self._buffer) - len(self._delimiter))
            self._more()
        body = bytes(self._buffer[:at])
        del self._buffer[:at]
        return body.removesuffix(b"\n").removesuffix(b"\r")

    def _ends_a_jpeg(self) -> bool:
        if not self._buffer.endswith((b"\xff\xd9", b"\xff\xd9\r\n")):
            return False
        try:
            # A preview inside the JPEG ends with the same marker, as may a half-received scan.
            jpeg.read_header(bytes(self._buffer))
        except FrameError:
            return False
        return True

    def _find_delimiter(self) -> bytes:
        line = re.search(rb"(?m)^(--[^\r\n]+)\r?\n", self._buffer)
        return line[1] if line is not None else b""

    def _more(self) -> None:
        received = self._receive()
        if not received:
            raise EOFError
        self._buffer += received

    def _no_multipart(self, what: str) -> SourceError:
        return SourceError(f"{self._name}: expected a stream of JPEGs, got {what}", reason="format")
