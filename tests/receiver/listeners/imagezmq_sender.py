"""A camera program as imageZMQ's users write it: its own sender, which knows nothing of ours."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import imagezmq
import zmq

_PATIENCE = 30_000


def free_port() -> int:
    """Return a port that nobody has now: ZeroMQ's URLs have no 0."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def imagezmq_sender(port: int, *, publishes: bool = False) -> Iterator[Any]:
    """Run imageZMQ's sender; a reply that does not come within 30 s fails the test."""
    place = f"tcp://127.0.0.1:{port}"
    with imagezmq.ImageSender(place, REQ_REP=not publishes) as sender:
        sender.zmq_socket.setsockopt(zmq.LINGER, 0)
        sender.zmq_socket.setsockopt(zmq.RCVTIMEO, _PATIENCE)
        yield sender
