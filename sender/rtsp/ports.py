"""Ports: the pair of UDP ports that a camera sends RTP and RTCP to (RFC 3550, 11)."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from sender.rtsp.inbox import Packet
from sender.rtsp.watch import READABLE, Watch

#: The channels that their packets are said to have come on.
RTP = 0
RTCP = 1

_PAIR_TRIES = 100
#: Asked of the system, which may give less: a key frame comes in one burst.
_RECEIVE_BUFFER_BYTES = 4 << 20
#: Packets that are read before others have their turn.
_BURST = 64
#: An RTP packet without anything in it, and a receiver report without a report (RFC 3550, 6.4.2).
_EMPTY_RTP = b"\x80" + bytes(11)
_EMPTY_RTCP = b"\x80\xc9\x00\x01" + bytes(4)


class Ports:
    """Two UDP sockets that belong together. For one thread; raises OSError."""

    def __init__(self, host: str, watch: Watch) -> None:
        """Bind an even port and the next of `host`, an address of this machine."""
        self._watch = watch
        self._sockets = _bind_pair(host)
        self._senders: frozenset[str] = frozenset()
        self._report_to: tuple[str, int] | None = None
        self._view = memoryview(bytearray(1 << 16))

    @property
    def numbers(self) -> tuple[int, int]:
        """RTP's port and RTCP's."""
        first, second = (int(sock.getsockname()[1]) for sock in self._sockets)
        return first, second

    def meet(self, host: str, source: str | None, server_ports: tuple[int, int] | None) -> None:
        """Take packets of the camera at `host` and of `source`, an address, from now on.

        Something is sent to its ports, so that firewalls on the way let through what comes back.
        """
        self._senders = frozenset({host, _numeric(source) or host})
        if server_ports is not None:
            rtp, rtcp = server_ports
            to = _numeric(source) or host
            self._report_to = (to, rtcp)
            self._send(RTP, _EMPTY_RTP, (to, rtp))
            self._send(RTCP, _EMPTY_RTCP, (to, rtcp))

    def begin(self) -> None:
        """Have the watch look for packets, now that somebody is going to `read` them."""
        for sock in self._sockets:
            self._watch.add(sock, READABLE)

    def report(self, rtcp: bytes) -> None:
        """Send a report, if the camera said where to; one that gets lost is no harm."""
        if self._report_to is not None:
            self._send(RTCP, rtcp, self._report_to)

    def read(self) -> Iterator[Packet]:
        """Yield the packets that have come, RTP first; those of other hosts are left out."""
        for channel, sock in enumerate(self._sockets):
            for _ in range(_BURST):
                try:
                    length, address = sock.recvfrom_into(self._view)
                except BlockingIOError:
                    break
                if address[0] in self._senders:
                    yield Packet(channel, bytes(self._view[:length]), time.monotonic())

    def close(self) -> None:
        for sock in self._sockets:
            self._watch.remove(sock)
            sock.close()
        self._sockets = ()

    def _send(self, channel: int, data: bytes, address: tuple[str, int]) -> None:
        with suppress(OSError):
            self._sockets[channel].sendto(data, address)


def _bind_pair(host: str) -> tuple[socket.socket, ...]:
    for _ in range(_PAIR_TRIES):
        pair = _try_pair(host)
        if pair is not None:
            return pair
    raise OSError(errno.EADDRINUSE, "no pair of UDP ports is free")


def _try_pair(host: str) -> tuple[socket.socket, ...] | None:
    """Return a pair, or None where the system's choice is odd or its neighbour taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as opened:
        pair = tuple(
            opened.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(2)
        )
        for sock in pair:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        pair[0].bind((host, 0))
        port = pair[0].getsockname()[1]
        with suppress(OSError):
            if port % 2 == 0:
                pair[1].bind((host, port + 1))
                opened.pop_all()
                return pair
    return None


def _numeric(host: str | None) -> str | None:
    """Return an IP address as the system writes it; None for a name, which nobody looks up."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            return socket.inet_ntop(family, socket.inet_pton(family, host or ""))
    return None
