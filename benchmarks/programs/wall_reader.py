"""Wall reader: one viewer of many cameras, as a program of its own.

`python -m benchmarks.programs.wall_reader URL… --notes FILE` reads each URL, a `/live` or an MJPEG
stream, on a connection of its own until killed. After `--seconds` for warming up it says so, and
from then on writes the age of each picture into FILE, in seconds, a line each. `--rate` is how many
bytes a second it reads at most.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.programs.audience import connect

_CHUNK = 1 << 16
_LENGTHS = struct.Struct("!II")
_PART = re.compile(rb"Content-Length: (\d+)\r\nX-Timestamp: ([0-9.]+)\r\n.*?\r\n\r\n", re.DOTALL)


class Connection:
    """The reply of one connection, without its head and its chunks' lengths."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._raw = bytearray()
        self._body = bytearray()
        self._is_wall = False
        self._has_head = False

    def feed(self, piece: bytes) -> Iterator[float]:
        """Yield when the pictures that are whole now were captured, in Unix seconds."""
        self._raw += piece
        if not self._has_head:
            head, end, rest = self._raw.partition(b"\r\n\r\n")
            if not end:
                return
            self._has_head, self._is_wall = True, b"framepost.records" in head
            self._raw = rest
        self._unpack()
        yield from self._records() if self._is_wall else self._parts()

    def _unpack(self) -> None:
        while (end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:end], 16)
            if len(self._raw) < end + 2 + size + 2:
                return
            self._body += self._raw[end + 2 : end + 2 + size]
            del self._raw[: end + 2 + size + 2]

    def _records(self) -> Iterator[float]:
        while len(self._body) >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(self._body)
            end = _LENGTHS.size + head + body
            if len(self._body) < end:
                return
            facts = json.loads(self._body[_LENGTHS.size : _LENGTHS.size + head])
            if facts["kind"] == "picture":
                yield facts["captured_at"]
            del self._body[:end]

    def _parts(self) -> Iterator[float]:
        while (found := _PART.search(self._body)) is not None:
            end = found.end() + int(found[1])
            if len(self._body) < end:
                return
            yield float(found[2])
            del self._body[:end]


def main(argv: Sequence[str]) -> int:
    """Read until killed; return 1 when a reply ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--notes", required=True)
    parser.add_argument("--rate", type=float, default=0)
    arguments = parser.parse_args(argv)
    # What the reader's own kernel takes in would be old too, and is no server's fault.
    room = _CHUNK if arguments.rate else None
    started, count, notes = time.monotonic(), 0, None
    with selectors.DefaultSelector() as selector, open(arguments.notes, "w", buffering=1) as file:
        for url in arguments.urls:
            connection = Connection(connect(url, room=room))
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        while True:
            for key, _ in selector.select(1):
                if arguments.rate:
                    early = started + count / arguments.rate - time.monotonic()
                    time.sleep(max(0.0, early))
                piece = key.data.sock.recv(_CHUNK)
                if not piece:
                    return 1
                count += len(piece)
                for captured in key.data.feed(piece):
                    if notes is not None:
                        notes.write(f"{time.time() - captured:.6f}\n")
            if notes is None and time.monotonic() - started > arguments.seconds:
                notes = file
                sys.stderr.write("reads\n")
                sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
