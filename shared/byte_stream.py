"""ByteStream: bytes that arrive in pieces, taken by count, by line, or up to a mark."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

#: The empty line that ends a head.
_HEAD_END = re.compile(rb"^\r?\n", re.MULTILINE)
#: Perhaps only its first digits have come.
_LENGTH = re.compile(
    rb"^content-length:[ \t]*([0-9]{1,18})[ \t\r]*(\n|\Z)", re.MULTILINE | re.IGNORECASE
)
#: How much of a body may be asked for together with the rest of its head.
_AHEAD = 512


class ByteStream:
    """Holds what came and was not yet taken. For one thread.

    `receive` returns the next bytes, at least one, or b"" at the end; what it raises passes
    through. It is told how many bytes must come before anything can be decided, and may wait for as
    many: no more than needed is ever asked for, so nothing that is complete waits for what follows.
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self.buffer = bytearray()
        #: Of a line's end, as far as it is known: 2 with CR.
        self._line_end = 1
        #: Bytes of the head before.
        self._head = 0

    def more(
        self, least: int, *, until: frozenset[int] | None = None, limit: int = sys.maxsize
    ) -> bool:
        """Receive at least one byte, waiting for `least` at most; False at the end.

        With `until`, again and again until one of those bytes has come, or more than `limit` in all
        are held.
        """
        while True:
            received = self._receive(least)
            if not received:
                return False
            self.buffer += received
            if until is None or not until.isdisjoint(received) or len(self.buffer) > limit:
                return True

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes; raise EOFError when fewer come."""
        pieces = []
        if self.buffer:
            pieces.append(bytes(self.buffer[:length]))
            del self.buffer[:length]
            length -= len(pieces[0])
        while length > 0:
            piece = self._receive(length)
            if not piece:
                raise EOFError
            if len(piece) > length:
                self.buffer += piece[length:]
                piece = piece[:length]
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def take_head(self, *, limit: int, shortest: int, longest: int) -> bytes:
        """Return the lines up to the empty one, which is taken too.

        `shortest`: of a head and what must follow it, in bytes. As many as its Content-Length says
        follow, if that is not more than `longest`; else the head must be enough. A head is taken to
        be no longer than the one before, until it is. Raise EOFError at the end of the stream,
        which leaves what there is of the head; ValueError for a head of more than `limit` bytes.
        """
        looked_at = line = ahead = 0
        while (end := _HEAD_END.search(self.buffer, max(0, looked_at - 1))) is None:
            held = len(self.buffer)
            if held > limit:
                raise ValueError
            length = _LENGTH.match(self.buffer, line) or _LENGTH.search(self.buffer, looked_at)
            if length is not None:
                ahead = _ahead(length, longest)
            looked_at, line = held, self.buffer.rfind(b"\n") + 1
            least = self._rest_of_head(line) + ahead if held else shortest
            if held < self._head:
                # The body is then received in one piece.
                least = min(least, self._head - held)
            if not self.more(max(1, least)):
                raise EOFError
        if end.end() > limit:
            raise ValueError
        self._head = end.end()
        return self.take(self._head)

    def _rest_of_head(self, line: int) -> int:
        """Return how many bytes must at least come of a head whose last line begins at `line`."""
        cr = self.buffer.endswith(b"\r")
        # Behind a line that has begun there is the empty one.
        lines = 2 if line + cr < len(self.buffer) else 1
        return lines * self._line_end - cr

    def take_line(self, *, limit: int) -> bytes:
        """Return the next line of a head, without its end.

        An empty line ends the head. Raise EOFError at the end of the stream, ValueError for a line
        of more than `limit` bytes.
        """
        searched = 0
        while (at := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            if searched > limit:
                raise ValueError
            # Behind a line that has begun there is the empty one.
            lines = 2 if self.buffer.strip(b"\r") else 1
            if not self.more(lines * self._line_end - self.buffer.endswith(b"\r")):
                raise EOFError
        if at > limit:
            raise ValueError
        line = self.take(at + 1).removesuffix(b"\n")
        self._line_end = 1 + line.endswith(b"\r")
        return line.removesuffix(b"\r")

    def missing(self, mark: bytes) -> int:
        """Return how many bytes must at least come until `mark`, which is not there yet, is."""
        held = len(self.buffer)
        begins = self.buffer.rfind(mark[:1], max(0, held - len(mark) + 1))
        if begins >= 0:
            for length in range(held - max(0, held - len(mark) + 1), 0, -1):
                if self.buffer.endswith(mark[:length]):
                    return len(mark) - length
        return len(mark)


def _ahead(length: re.Match[bytes], longest: int) -> int:
    """Return how many bytes must at least follow a Content-Length, besides the head's own.

    Of a number that is perhaps not complete either as many follow, or as many digits as make it
    more than `longest`.
    """
    number, is_complete = length[1], bool(length[2])
    if int(number) > longest:
        return 0
    return min(int(number), _AHEAD if is_complete else max(0, len(str(longest)) - len(number)))
