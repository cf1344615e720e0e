"""A server that reads every byte of what is posted, and looks at none.

`python -m benchmarks.programs.bare_server`: what any server must spend at least on the same bytes,
recv() into one buffer, and a short reply.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
from dataclasses import dataclass

_REPLY = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_BUFFER = 1 << 20


@dataclass(slots=True)
class _Connection:
    end: socket.socket
    #: Bytes of the request at hand that have not come yet.
    left: int = 0


def serve(listener: socket.socket) -> None:
    """Answer until the process is told to end."""
    buffer = memoryview(bytearray(_BUFFER))
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    end, _ = listener.accept()
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(end, selectors.EVENT_READ, _Connection(end))
                elif not _read(key.data, buffer):
                    selector.unregister(key.data.end)
                    key.data.end.close()


def _read(connection: _Connection, buffer: memoryview) -> bool:
    """Take what has come; False at the end. No request comes before the last one's answer."""
    size = connection.end.recv_into(buffer)
    if size == 0:
        return False
    if connection.left == 0:
        head, _, _ = bytes(buffer[: min(size, 4096)]).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            return False
        connection.left = len(head) + 4 + int(length[1])
    connection.left -= size
    if connection.left == 0:
        connection.end.sendall(_REPLY)
    return True


def main() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stderr.write(f"see http://127.0.0.1:{listener.getsockname()[1]}/\n")
        sys.stderr.flush()
        serve(listener)
    return 0


if __name__ == "__main__":
    sys.exit(main())
