"""Multipart: the parts of an endless multipart/x-mixed-replace body, as cameras write it.

RFC 2046, section 5.1, with what cameras make of it: no Content-Length, a wrong one, a boundary
that is announced with dashes that are not there or without those that are, lines that end in LF.
"""

from __future__ import annotations

from collections import deque

from shared import jpeg
from shared.byte_stream import ByteStream
from shared.errors import FrameError

#: The largest part that is taken; an 8K JPEG has less.
MAX_PART = 32 << 20
MAX_HEAD = 16 << 10
#: How far the first boundary may be from the beginning.
_MAX_PREAMBLE = 64 << 10
#: The shortest head that announces a length, and its body.
_SHORTEST = len(b"Content-Length:1\n\nx")
#: How many end markers in a part are tried that turn out not to be the JPEG's own.
_TRIES = 16
_END_MARKER = b"\xff\xd9"
#: Without one of these, neither the end marker nor a boundary is near.
_SIGNS = frozenset(b"\xff\xd9-\n")


class CutOff(EOFError):
    """Raised when the stream ends within a part."""


class BrokenStream(FrameError):
    """Raised when what comes cannot be read as parts any further; `got` says what came."""

    def __init__(self, got: str, *, status: int = 400, reason: str = "multipart") -> None:
        super().__init__(
            f"stream: expected parts of multipart/x-mixed-replace, got {got}",
            status=status,
            reason=reason,
        )
        self.got = got


class PartHeaders:
    """A part's header fields, looked up without regard to case."""

    def __init__(self, fields: dict[str, str]) -> None:
        """The names in `fields` have small letters."""
        self._fields = fields

    def get(self, key: str, /) -> str | None:
        return self._fields.get(key.lower())


class Multipart:
    """Take one part after the other out of a stream of bytes: its `head`, then its `body`.

    A part is complete when its last byte came: where no length announces it, with the JPEG's own
    end marker, and only failing that with the boundary after it.
    """

    def __init__(
        self,
        stream: ByteStream,
        *,
        boundary: str | None,
        max_part: int = MAX_PART,
        guess: bool = False,
    ) -> None:
        """`max_part` limits a part's bytes.

        To look for the end of a part without a length costs time for each of its bytes. With
        `guess`, only near where the parts before it ended; a much shorter one is then seen late.
        """
        self._stream = stream
        self._max_part = max_part
        self._guess = guess
        bare = (boundary or "").strip("-")
        #: b"" until the first line of the stream has told it.
        self._delimiter = b"--" + bare.encode("latin-1", "replace") if bare else b""
        self._begun = False
        self._length = 0
        #: Bytes between the body before and its boundary.
        self._gap = 0
        #: Of the last parts without a length.
        self._sizes: deque[int] = deque(maxlen=8)

    def head(self) -> PartHeaders:
        """Skip to the next part and return its headers; the `body` before must have been taken.

        Raise EOFError after the last part, CutOff, BrokenStream.
        """
        if self._delimiter:
            self._skip_to_delimiter()
        else:
            self._learn_delimiter()
        self._begun = True
        return PartHeaders(self._take_fields())

    def body(self) -> bytes:
        """Return the body of the part whose head was taken; raise CutOff, BrokenStream."""
        if self._length == 0:
            return self._take_to_boundary()
        if self._length > self._max_part:
            raise self._too_large(f"a part of {self._length} bytes")
        try:
            return self._stream.take(self._length)
        except EOFError:
            raise CutOff from None

    def _learn_delimiter(self) -> None:
        """Take lines up to the first that is a boundary."""
        left = _MAX_PREAMBLE
        first = b""
        while True:
            try:
                line = self._stream.take_line(limit=left)
            except (EOFError, ValueError) as exc:
                first = first or bytes(self._stream.buffer[:8])
                if not first and isinstance(exc, EOFError):
                    raise
                got = f"no boundary, but bytes that begin {first.hex(' ') or '0a'}"
                raise BrokenStream(got) from None
            if line.startswith(b"--") and len(line) > 2:
                self._delimiter = line
                return
            first = first or line[:8]
            left -= len(line) + 1

    def _skip_to_delimiter(self) -> None:
        buffer = self._stream.buffer
        limit = self._max_part if self._begun else _MAX_PREAMBLE
        skipped = 0
        if not buffer:
            # A line's end or two dashes stand behind it.
            self._stream.more(self._gap + len(self._delimiter) + 2)
        while (at := buffer.find(self._delimiter)) < 0:
            unusable = max(0, len(buffer) - len(self._delimiter))
            skipped += unusable
            del buffer[:unusable]
            if skipped > limit:
                raise BrokenStream(f"no boundary in {limit} bytes")
            if not self._stream.more(self._stream.missing(self._delimiter)):
                if self._begun or not buffer:
                    raise EOFError
                raise BrokenStream(f"no boundary {self._delimiter[:80].decode('latin-1')!r}")
        self._gap = min(at, 2)
        del buffer[: at + len(self._delimiter)]
        while len(buffer) < 2 and self._stream.more(2 - len(buffer)):
            pass
        if buffer.startswith(b"--"):
            raise EOFError
        try:
            self._stream.take_line(limit=MAX_HEAD)
        except ValueError:
            raise _endless() from None

    def _take_fields(self) -> dict[str, str]:
        """Take the lines up to the empty one, and note the length that they announce."""
        # Who announced a length announces the next.
        shortest = _SHORTEST if self._length else 1
        self._length = 0
        try:
            head = self._stream.take_head(limit=MAX_HEAD, shortest=shortest, longest=self._max_part)
        except ValueError:
            raise _endless() from None
        except EOFError:
            if not self._stream.buffer:
                raise  # the boundary was written ahead
            raise CutOff from None
        fields: dict[str, str] = {}
        for line in head.decode("latin-1").split("\n"):
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            fields.setdefault(name, value)
            if name == "content-length" and value.isascii() and value.isdigit():
                self._length = int(value[:18])
        return fields

    def _take_to_boundary(self) -> bytes:
        stream, buffer = self._stream, self._stream.buffer
        if self._guess and self._sizes:
            expected = min(self._sizes) * 15 // 16 - len(buffer)
            if expected > 0:
                stream.more(expected)
        searched = tries = 0
        while (at := buffer.find(self._delimiter, searched)) < 0:
            if len(buffer) > self._max_part:
                raise self._too_large("a part without an end")
            least = stream.missing(self._delimiter)
            signs = None
            if tries < _TRIES and buffer.startswith(b"\xff\xd8"):
                if buffer.endswith((_END_MARKER, _END_MARKER + b"\r\n")):
                    tries += 1
                    if _is_jpeg(buffer):
                        break
                if least == len(self._delimiter) and not buffer.endswith(b"\xff"):
                    signs = _SIGNS
                least = min(least, 1 if buffer.endswith(b"\xff") else 2)
            searched = max(0, len(buffer) - len(self._delimiter))
            if not stream.more(least, until=signs, limit=self._max_part):
                if not buffer:
                    raise CutOff
                break
        body = stream.take(at if at >= 0 else len(buffer))
        self._sizes.append(len(body))
        return body.removesuffix(b"\n").removesuffix(b"\r")

    def _too_large(self, got: str) -> BrokenStream:
        return BrokenStream(
            f"{got}; at most {self._max_part} are taken", status=413, reason="too_large"
        )


def _endless() -> BrokenStream:
    return BrokenStream("headers without an end")


def _is_jpeg(data: bytearray) -> bool:
    try:
        # A preview inside the JPEG ends with the same marker, as may a half-received scan.
        jpeg.read_header(bytes(data))
    except FrameError:
        return False
    return True
