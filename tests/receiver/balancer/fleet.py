"""Fleet: two real receivers on addresses of their own, and the balancer in front of them."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import requests

from shared import codec, pattern
from tests.program import Receiver
from tests.receiver.balancer.balancer import Balancer, haproxy
from tests.receiver.balancer.name_server import NameServer

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
#: Every address below 127 is this machine.
ADDRESSES = ("127.0.0.2", "127.0.0.3")
MAX_BYTES = 2_000_000
MAX_VIEWERS = 2


class Fleet:
    """Starts `started` of the receivers; the name server tells of those."""

    def __init__(self, started: int = 2, *, token: str = "") -> None:
        haproxy()
        self._env = {"RECEIVER_TOKEN": token} if token else {}
        self._stack = ExitStack()
        self.receivers: dict[str, Receiver] = {}
        self._port = 0
        with ExitStack() as guard:
            guard.push(self._stack)
            for address in ADDRESSES[:started]:
                self.start(address)
            self.names = self._stack.enter_context(NameServer(ADDRESSES[:started]))
            self.balancer = self._stack.enter_context(
                Balancer(self.names, self._port, max_bytes=MAX_BYTES)
            )
            self.balancer.wait_for_receivers(started)
            guard.pop_all()
        self.url = self.balancer.url
        self.port = self.balancer.port

    def start(self, address: str) -> None:
        """Start the receiver of that address, at the port that all have."""
        arguments = ["--max-viewers", str(MAX_VIEWERS), "--max-bytes", str(MAX_BYTES)]
        arguments += ["--hook", "tests.witness:Witness", "--isolation", "thread"]
        receiver = Receiver("--host", address, *arguments, port=self._port, env=self._env)
        self._stack.push(receiver)
        self._port = receiver.port
        self.receivers[address] = receiver

    def kill(self, address: str, number: int = signal.SIGKILL) -> None:
        """Send the signal to each of the receiver's processes."""
        receiver = self.receivers[address]
        os.killpg(receiver.pid, number)
        if number == signal.SIGKILL:
            receiver.wait()

    def direct(self, address: str) -> str:
        return f"http://{address}:{self._port}"

    def seen(self, camera: str) -> dict[str, Any]:
        """Return what each receiver that has the camera says of it."""
        answers = {
            address: requests.get(f"{self.direct(address)}/cameras/{camera}", timeout=30)
            for address in self.receivers
        }
        return {address: answer.json() for address, answer in answers.items() if answer.ok}

    def home(self, camera: str) -> str:
        """Return the address of the only receiver that has the camera."""
        (address,) = self.seen(camera)
        return address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)


def post(url: str, camera: str, seq: int, jpeg: bytes = JPEG, **more: str) -> requests.Response:
    """Post a frame of the epoch `e`; in the names of `more` headers `_` stands for `-`."""
    sent = {"Content-Type": "image/jpeg", "X-Frame-Epoch": "e", "X-Frame-Seq": str(seq)}
    sent |= {name.replace("_", "-"): value for name, value in more.items()}
    return requests.post(f"{url}/cameras/{camera}/frames", jpeg, headers=sent, timeout=30)
