"""UdpSocket: sends runs of datagrams to one place."""

from __future__ import annotations

import errno
import os
import socket
import struct
from contextlib import suppress

from sender.carriers.udp_endpoint import UdpEndpoint
from shared.udp_url import interface_index, resolve

#: What Python's socket module does not name; Linux has them in these places.
_SOL_UDP, _UDP_SEGMENT = 17, 103
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_DO = 10, 23, 2
#: What the kernel cuts in one go: so many datagrams, of so many bytes.
_MOST, _LARGEST = 64, 65_000
#: A kernel, or a network device, that does not cut.
_NO_CUTTING = {errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP}


class UdpSocket:
    """Connected, so that the host's word that nobody listens there comes back. For one thread."""

    def __init__(self, endpoint: UdpEndpoint, *, timeout: float) -> None:
        """A datagram may wait `timeout` seconds for room; raise OSError where there is no way."""
        family, address = resolve(endpoint.url)
        self.version = 6 if family == socket.AF_INET6 else 4
        self._cuts = True
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._prepare(endpoint)
            self._socket.connect((address, endpoint.port))
        except OSError:
            self._socket.close()
            raise
        seconds, rest = divmod(timeout, 1.0)
        wait = struct.pack("@ll", int(seconds), int(rest * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)

    def send(self, run: memoryview, size: int) -> None:
        """Send datagrams of `size` bytes, the last one perhaps shorter; raise OSError."""
        most = max(1, min(_MOST, _LARGEST // size)) * size
        for begin in range(0, len(run), most):
            self._send(run[begin : begin + most], size)

    def check(self) -> None:
        """Raise OSError if something came back of what was sent."""
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    def close(self) -> None:
        self._socket.close()

    def _send(self, run: memoryview, size: int) -> None:
        if self._cuts and len(run) > size:
            # The kernel cuts them (UDP_SEGMENT): a thirtieth of the time of a call for each.
            how = [(_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", size))]
            try:
                self._socket.sendmsg([run], how)
                return
            except OSError as exc:
                if exc.errno not in _NO_CUTTING:
                    raise
                self._cuts = False
        for begin in range(0, len(run), size):
            self._socket.send(run[begin : begin + size])

    def _prepare(self, endpoint: UdpEndpoint) -> None:
        # What is too large for a network is told of, and not cut on the way, where the loss of a
        # piece would be that of all.
        if self.version == 4:
            level, discover = socket.IPPROTO_IP, _IP_MTU_DISCOVER
        else:
            level, discover = socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER
        with suppress(OSError):
            self._socket.setsockopt(level, discover, _PMTUDISC_DO)
        if not endpoint.url.is_multicast:
            return
        index = interface_index(endpoint.interface)
        if self.version == 4:
            self._socket.setsockopt(level, socket.IP_MULTICAST_TTL, endpoint.ttl)
            if index:
                any_address = socket.inet_aton("0.0.0.0")
                mreqn = any_address + any_address + struct.pack("=i", index)
                self._socket.setsockopt(level, socket.IP_MULTICAST_IF, mreqn)
        else:
            self._socket.setsockopt(level, socket.IPV6_MULTICAST_HOPS, endpoint.ttl)
            if index:
                self._socket.setsockopt(level, socket.IPV6_MULTICAST_IF, index)
