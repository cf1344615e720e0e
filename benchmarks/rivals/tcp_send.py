"""The classic way over TCP, its sender: each JPEG behind its length of four bytes."""

from __future__ import annotations

import socket
import struct

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=True)
    with socket.create_connection(("127.0.0.1", arguments.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for image in pictures(arguments):
            jpeg = codec.encode(image, QUALITY)
            connection.sendall(struct.pack("!I", len(jpeg)) + jpeg)


if __name__ == "__main__":
    main()
