"""Whatever comes is sent on, and nothing looked at: the least that a way through a program costs.

`python -m benchmarks.programs.forward CAMERA_URL SERVER_URL`: what a camera answers becomes the
body of one endless POST. It writes a byte to the file of notes when it has begun.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measuring.sink import VARIABLE

_BUFFER = 1 << 18
#: More than will come.
_LENGTH = 1 << 60


def main(camera: str, server: str) -> None:
    """Go on until killed, or until the camera ends."""
    with _connect(camera) as source, _connect(server) as target:
        source.sendall(b"GET / HTTP/1.1\r\nHost: benchmark\r\n\r\n")
        target.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % _LENGTH)
        buffer = memoryview(bytearray(_BUFFER))
        size = source.recv_into(buffer)
        Path(os.environ[VARIABLE]).write_bytes(b".")
        while size:
            target.sendall(buffer[:size])
            size = source.recv_into(buffer)


def _connect(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port))


if __name__ == "__main__":
    main(*sys.argv[1:])
