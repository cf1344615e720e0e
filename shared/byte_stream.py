"""ByteStream: bytes that arrive in pieces, taken by count, by line, or up to a mark."""

from __future__ import annotations

import sys
from collections.abc import Callable


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
        pieces = [bytes(self.buffer[:length])]
        del self.buffer[:length]
        left = length - len(pieces[0])
        while left > 0:
            piece = self._receive(left)
            if not piece:
                raise EOFError
            if len(piece) > left:
                self.buffer += piece[left:]
                piece = piece[:left]
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def take_line(self, *, limit: int, behind: int = 0) -> bytes:
        """Return the next line of a head, without its end.

        An empty line ends the head, and at least `behind` bytes follow that. Raise EOFError at the
        end of the stream, ValueError for a line of more than `limit` bytes.
        """
        searched = 0
        while (at := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            if searched > limit:
                raise ValueError
            # Behind a line that has begun there is the empty one.
            lines = 2 if self.buffer.strip(b"\r") else 1
            least = lines * self._line_end - self.buffer.endswith(b"\r") + behind
            if not self.more(least):
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
