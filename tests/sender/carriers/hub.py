"""Hub: imageZMQ's own, on a thread, as its users write one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import imagezmq
import zmq


class Hub:
    """What came, in order; replies OK to each, up to the last of `count`, and ends."""

    def __init__(self, port: int, count: int, *, form: str = "jpg", reply: bytes | None = b"OK"):
        self.came: list[tuple[str, object]] = []
        self._port = port
        self._count = count
        self._form = form
        self._reply = reply
        self.is_there = threading.Event()

    def run(self) -> None:
        with imagezmq.ImageHub(f"tcp://127.0.0.1:{self._port}") as hub:
            hub.zmq_socket.setsockopt(zmq.LINGER, 5000)
            hub.zmq_socket.setsockopt(zmq.RCVTIMEO, 30_000)
            self.is_there.set()
            for _ in range(self._count):
                text, what = hub.recv_jpg() if self._form == "jpg" else hub.recv_image()
                self.came.append((text, bytes(what) if self._form == "jpg" else what.copy()))
                del what
                if self._reply is not None:
                    hub.send_reply(self._reply)


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    thread = threading.Thread(target=hub.run, name="hub")
    thread.start()
    assert hub.is_there.wait(30)
    try:
        yield hub
    finally:
        thread.join(60)
    assert not thread.is_alive()
