"""UdpSocket: takes datagrams, many at once where the kernel gives them so."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from receiver.listeners.udp_place import UdpPlace
from shared.udp_url import interface_index, resolve

#: What Python's socket module does not name; Linux has them in these places.
_SOL_UDP, _UDP_GRO = 17, 104
_SO_RCVBUFFORCE, _SO_MEMINFO, _DROPS = 33, 55, 8
_MEMINFO = struct.Struct("=9I")
#: Bytes of datagrams that the kernel is to keep while nobody reads; it may grant less.
_BUFFER = 8 << 20
#: What comes in one go is never more.
_LARGEST = 1 << 16
#: Seconds for a first datagram.
_WAIT = 0.25


class UdpSocket:
    """Bound while it is open. For one thread."""

    def __init__(self, place: UdpPlace) -> None:
        """Raise OSError where the address cannot be had."""
        family, address = resolve(place.url)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._prepare(place, family, address)
        except OSError:
            self._socket.close()
            raise
        self._buffer = bytearray(_LARGEST)
        self._view = memoryview(self._buffer)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def room(self) -> int:
        """Bytes that the kernel keeps while nobody reads, with what it needs for itself."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

    def read(self) -> Iterator[tuple[memoryview, str]]:
        """Wait a moment, then yield the datagrams that came in one go, each with who sent it.

        Each is good only until the next is asked for.
        """
        try:
            # The kernel may have joined datagrams of one size (UDP_GRO), a call for all of them.
            size, facts, _, address = self._socket.recvmsg_into([self._buffer], 64)
        except (BlockingIOError, InterruptedError):
            return
        step = size
        for level, kind, data in facts:
            if (level, kind) == (_SOL_UDP, _UDP_GRO):
                (step,) = struct.unpack_from("=i", data)
        for at in range(0, max(size, 1), max(step, 1)):
            yield self._view[at : min(at + step, size)], address[0]

    def dropped(self) -> int:
        """Return how many datagrams the kernel had no room for, since it is open."""
        try:
            found = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            return int(_MEMINFO.unpack(found)[_DROPS])
        except (OSError, struct.error):  # another kernel's
            return 0

    def close(self) -> None:
        self._socket.close()

    def _prepare(self, place: UdpPlace, family: int, address: str) -> None:
        for option in (socket.SO_RCVBUF, _SO_RCVBUFFORCE):  # the second one is root's
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        with suppress(OSError):
            self._socket.setsockopt(_SOL_UDP, _UDP_GRO, 1)
        # A wait that the kernel ends needs no second call for each datagram.
        self._socket.setsockopt(
            *(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, int(_WAIT * 1e6)))
        )
        if not place.url.is_multicast:
            self._socket.bind((address, place.url.port))
            return
        # So several receivers of one machine hear the same group.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((address, place.url.port))
        index = interface_index(place.interface)
        group = socket.inet_pton(family, address)
        if family == socket.AF_INET6:
            level, join = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP
        else:
            level, join = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP
            group += socket.inet_aton("0.0.0.0")  # the interface is told by its number
        self._socket.setsockopt(level, join, group + struct.pack("=i", index))
