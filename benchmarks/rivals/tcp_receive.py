"""The classic way over TCP, its receiver: the length, then so many bytes, then the picture."""

from __future__ import annotations

import socket
import struct
import sys
from typing import BinaryIO

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse
from shared import codec

_LENGTH = struct.Struct("!I")


def main() -> None:
    arguments = parse(__doc__, sends=False)
    sink = Sink()
    with socket.create_server(("127.0.0.1", arguments.port)) as server:
        print("ready", file=sys.stderr, flush=True)
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            while length := stream.read(_LENGTH.size):
                sink.take(codec.decode(_read(stream, *_LENGTH.unpack(length))))


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionError(f"the connection ended after {len(data)} of {size} bytes")
    return data


if __name__ == "__main__":
    main()
