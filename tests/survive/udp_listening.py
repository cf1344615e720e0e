"""UdpListening: a listener that is stepped by hand, and the frames that came out of it."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from receiver.access.seals import Seals
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.listeners.udp_listener import UdpListener
from receiver.listeners.udp_place import UdpPlace
from receiver.result import Result
from shared.frame import EncodedFrame
from shared.seats import Seats


class Taken:
    """An Observer: every frame that the hub took, by its number."""

    def __init__(self) -> None:
        self.pictures: dict[int, bytes] = {}

    def received(self, frame: EncodedFrame) -> None:
        self.pictures[frame.seq] = frame.data

    def finished(self, result: Result) -> None: ...
    def forgotten(self, camera: str) -> None: ...
    def closed(self) -> None: ...


class UdpListening:
    """Open at `address` from the start."""

    def __init__(self, *, seals: Seals | None = None, max_bytes: int = 1 << 20) -> None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
            one.bind(("127.0.0.1", 0))
            self.address = ("127.0.0.1", int(one.getsockname()[1]))
        self.taken = Taken()
        hub = Hub(max_cameras=4, observers=[self.taken])
        desk = Desk(hub, max_pixels=1 << 22, seats=Seats(1), has_hook=lambda camera: False)
        place = UdpPlace.parse(f"udp://127.0.0.1:{self.address[1]}")
        self.listener = UdpListener(place, desk, max_bytes=max_bytes, seals=seals)
        self.listener.step()

    def take(self, count: int) -> None:
        """Step until `count` datagrams were taken in all; raise AssertionError if they are not."""
        end = time.monotonic() + 60
        while (done := sum(self.listener.status().datagrams.values())) < count:
            assert time.monotonic() < end, f"{done} of {count} datagrams came"
            self.listener.step()

    def close(self) -> None:
        self.listener.close()
