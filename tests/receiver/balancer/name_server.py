"""NameServer: answers every question for an address with those that it was given (RFC 1035)."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_A, _IN = 1, 1
#: A response, recursion available, no error.
_FLAGS = 0x8180
#: Points to the name in the question, behind the header of 12 bytes.
_SAME_NAME = 0xC00C


class NameServer:
    """On 127.0.0.1 over UDP; `addresses` may change at any time."""

    def __init__(self, addresses: Sequence[str] = ()) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="name server")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            question, peer = self._socket.recvfrom(4096)
            if not question:
                return
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, question: bytes) -> bytes:
        end = question.index(0, 12) + 1  # of the name
        kind, _ = struct.unpack_from("!HH", question, end)
        found = [socket.inet_aton(one) for one in self.addresses] if kind == _A else []
        head = question[:2] + struct.pack("!HHHHH", _FLAGS, 1, len(found), 0, 0)
        answers = [struct.pack("!HHHIH", _SAME_NAME, _A, _IN, 1, 4) + one for one in found]
        return head + question[12 : end + 4] + b"".join(answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(30)
        self._socket.close()
