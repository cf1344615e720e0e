"""Fan-out: the least that a server of MJPEG can do, as the limit that others are compared with.

Each picture is encoded once, and written to every client by one `sendall`; no server, no waiting
clients, no reply's headers but the one that is needed.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
from collections.abc import Sequence

from benchmarks.measuring import steady
from shared import codec

_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n--frame\r\n"
)


def main(argv: Sequence[str]) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    steady.add_arguments(parser)
    arguments = parser.parse_args(argv)
    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        threading.Thread(target=_welcome, args=(server, clients), daemon=True).start()
        sys.stderr.write(f"running on http://127.0.0.1:{server.getsockname()[1]}\n")
        for image in steady.pictures(arguments):
            jpeg = codec.encode(image, arguments.quality)
            part = b"Content-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n--frame\r\n"
            for client in tuple(clients):
                try:
                    client.sendall(part)
                except ConnectionError:
                    clients.remove(client)


def _welcome(server: socket.socket, clients: list[socket.socket]) -> None:
    while True:
        client, _ = server.accept()
        client.recv(4096)
        client.sendall(_HEAD)
        clients.append(client)


if __name__ == "__main__":
    main(sys.argv[1:])
