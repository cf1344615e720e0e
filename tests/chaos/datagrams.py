"""DatagramLine: passes datagrams on, but loses and damages some, as a radio link does."""

from __future__ import annotations

import random
import socket

_ROOM = 16 << 20


class DatagramLine:
    """What comes to `address` goes to `target` when `pass_on` is called. For one thread.

    Nothing is lost but what the dice say: on one machine a datagram has arrived when it was sent.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        dice: random.Random,
        loss: float = 0.0,
        damage: float = 0.0,
    ) -> None:
        """`loss` and `damage` are shares of the datagrams; a damaged one has a bit flipped."""
        self.loss, self.damage = loss, damage
        self._target = target
        self._dice = dice
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, 33):  # SO_RCVBUFFORCE, root's
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, option, _ROOM)
            except OSError:
                continue
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.passed = self.lost = self.damaged = 0

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return host, port

    def pass_on(self) -> None:
        """Pass on what came."""
        while True:
            try:
                datagram = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            if self._dice.random() < self.loss:
                self.lost += 1
                continue
            if self._dice.random() < self.damage:
                self.damaged += 1
                datagram = _flipped(datagram, self._dice.randrange(8 * len(datagram)))
            self.passed += 1
            self._socket.sendto(datagram, self._target)

    def close(self) -> None:
        self._socket.close()


def _flipped(datagram: bytes, bit: int) -> bytes:
    changed = bytearray(datagram)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
