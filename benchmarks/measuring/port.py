"""Port: a free one, for programs that do not choose one themselves."""

from __future__ import annotations

import socket


def free() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
