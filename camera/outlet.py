"""Outlets: the two ways in which a client gets its packets. For the loop's thread only."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from typing import Protocol

from camera.packets import RtpFrame

#: What may wait for a client beyond the system's own buffers: about two large key frames.
MAX_WAITING_BYTES = 512 * 1024
#: UDP: so many packets at once, then a pause of a millisecond. A key frame in one burst would
#: overflow the 208 KiB that Linux gives a client's socket.
_BURST = 16
_PAUSE = 0.001
_MAX_WAITING_PACKETS = 1024


class Outlet(Protocol):
    """Takes frames and reports for one client, and never blocks."""

    #: How it is called in the log.
    name: str

    def has_room(self) -> bool:
        """Return whether a frame may come, or too much still waits."""
        ...

    def send(self, frame: RtpFrame) -> None: ...
    def report(self, rtcp: bytes) -> None: ...
    def close(self) -> None: ...


class InterleavedOutlet:
    """Sends in the RTSP connection itself, on two of its channels (RFC 2326, 10.12)."""

    name = "TCP"

    def __init__(self, transport: asyncio.Transport, rtp: int, rtcp: int) -> None:
        self._transport = transport
        self._rtp = rtp
        self._rtcp = rtcp

    def has_room(self) -> bool:
        return self._transport.get_write_buffer_size() <= MAX_WAITING_BYTES

    def send(self, frame: RtpFrame) -> None:
        self._transport.write(frame.interleaved(self._rtp))

    def report(self, rtcp: bytes) -> None:
        self._transport.write(struct.pack(">cBH", b"$", self._rtcp, len(rtcp)) + rtcp)

    def close(self) -> None:
        """Leave the connection to its owner."""


class UdpPorts:
    """The camera's pair of UDP ports: RTP is sent from the even one, RTCP from the next."""

    def __init__(self, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport) -> None:
        self._rtp = rtp
        self._rtcp = rtcp
        self.numbers = (_port(rtp), _port(rtcp))

    def send_rtp(self, packet: bytes, address: tuple[str, int]) -> None:
        self._rtp.sendto(packet, address)

    def send_rtcp(self, packet: bytes, address: tuple[str, int]) -> None:
        self._rtcp.sendto(packet, address)

    def close(self) -> None:
        self._rtp.abort()
        self._rtcp.abort()


class UdpOutlet:
    """Sends to two UDP ports of the host that asked for it."""

    name = "UDP"

    def __init__(self, ports: UdpPorts, host: str, rtp: int, rtcp: int) -> None:
        self._ports = ports
        self._rtp = (host, rtp)
        self._rtcp = (host, rtcp)
        self._waiting: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def has_room(self) -> bool:
        return len(self._waiting) <= _MAX_WAITING_PACKETS

    def send(self, frame: RtpFrame) -> None:
        self._waiting += frame.packets
        if self._timer is None:
            self._send_burst()

    def report(self, rtcp: bytes) -> None:
        self._ports.send_rtcp(rtcp, self._rtcp)

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_burst(self) -> None:
        for _ in range(min(_BURST, len(self._waiting))):
            self._ports.send_rtp(self._waiting.popleft(), self._rtp)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_PAUSE, self._send_burst) if self._waiting else None


def _port(transport: asyncio.DatagramTransport) -> int:
    return int(transport.get_extra_info("sockname")[1])
