"""Audience: many viewers of one MJPEG stream in one cheap process.

`python -m benchmarks.programs.audience URL --viewers 100 --stuck 5 --counts FILE`
watches until stopped. Of all that are not stuck each byte is read and each part counted; of the
first one also each picture is decoded and its mark noted (see Sink).
"""

from __future__ import annotations

import argparse
import selectors
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from benchmarks.measuring.parts import Head, PartCounter, Pictures
from benchmarks.measuring.sink import Sink
from shared.codec import Image, decode_reduced
from shared.errors import FrameError

#: A row for each viewer that reads: its parts and bytes so far.
Counts = npt.NDArray[np.uint64]
_CHUNK = 1 << 18
_CONNECT_SECONDS = 10.0
#: What the kernel takes for a viewer that never reads; so little that it is soon full.
_STUCK_ROOM = 1 << 16
_REDUCED = 4


def make_counts(path: Path, viewers: int) -> Counts:
    """Make the file in which an audience counts; what is returned changes with it."""
    return np.memmap(path, np.uint64, mode="w+", shape=(viewers, 2))


class Viewer:
    """One connection that is read."""

    def __init__(self, sock: socket.socket, row: Counts, *, sink: Sink | None = None) -> None:
        """`row` is this viewer's own; pictures are decoded and noted where there is a `sink`."""
        self.sock = sock
        self._row = row
        self._sink = sink
        self._head = Head()
        self._counter: PartCounter | None = None
        self._pictures: Pictures | None = None

    def read(self) -> None:
        """Take what is there; raise ConnectionError when the stream ends."""
        piece = self.sock.recv(_CHUNK)
        if not piece:
            raise ConnectionError(f"the stream ended after {self._row[0]} parts")
        self._row[1] += np.uint64(len(piece))
        if self._counter is None:
            piece = self._head.feed(piece)
            if self._head.delimiter is None:
                return
            self._counter = PartCounter(self._head.delimiter)
            self._pictures = Pictures(self._head.delimiter)
        self._row[0] += np.uint64(self._counter.count(piece))
        if self._sink is not None and self._pictures is not None:
            for jpeg in self._pictures.feed(piece):
                self._sink.take(_decode(jpeg))


def _decode(jpeg: bytes) -> Image:
    """Return the picture, small; one in which nothing can be read where it does not decode."""
    try:
        return decode_reduced(jpeg, _REDUCED)
    except FrameError:
        return np.zeros((1, 1, 3), np.uint8)


def connect(url: str, *, room: int | None = None) -> socket.socket:
    """Ask for `url`; `room` is the size of the kernel's buffer for the reply, in bytes."""
    parts = urlsplit(url)
    sock = socket.socket()
    if room is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    sock.settimeout(_CONNECT_SECONDS)
    sock.connect((parts.hostname, parts.port))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n\r\n".encode())
    return sock


def main(argv: Sequence[str]) -> int:
    """Watch until killed; return 1 when a stream ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--stuck", type=int, default=0)
    parser.add_argument("--counts", type=Path, required=True, help="as make_counts made it")
    arguments = parser.parse_args(argv)
    rows = np.memmap(arguments.counts, np.uint64, mode="r+", shape=(arguments.viewers, 2))
    with selectors.DefaultSelector() as selector:
        sink: Sink | None = Sink()
        for row in rows:
            viewer = Viewer(connect(arguments.url), row, sink=sink)
            selector.register(viewer.sock, selectors.EVENT_READ, viewer)
            sink = None
        stuck = [connect(arguments.url, room=_STUCK_ROOM) for _ in range(arguments.stuck)]
        sys.stderr.write(f"{len(rows)} watch, {len(stuck)} are stuck\n")
        while True:
            for key, _ in selector.select():
                key.data.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
