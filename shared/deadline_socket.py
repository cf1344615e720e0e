"""DeadlineSocket: a TCP or TLS connection on which every wait ends at the same moment."""

from __future__ import annotations

import io
import math
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

#: What may wait in the kernel unsent. Without a limit it takes megabytes, and a picture that was
#: "sent" grows old there.
_UNSENT = 64 << 10
#: A socket address, as getaddrinfo returns it.
Address = tuple[Any, ...]


class AddressRefused(OSError):
    """Raised when a host has only addresses that are not allowed."""


class AnsweredEarly(BrokenPipeError):
    """Raised when an answer comes before all is sent; `rest` was not."""

    def __init__(self, rest: Sequence[memoryview]) -> None:
        super().__init__("answered before all was sent")
        self.rest = rest


class DeadlineSocket:
    """Looks to http.client like a socket; `end` (monotonic seconds) bounds whatever it does.

    For one thread at a time; only `interrupt` may come from others. Waits that reach `end` raise
    TimeoutError, other trouble another OSError.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None,
        allow: Callable[[str], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect nothing yet; with a `context`, speak TLS.

        `allow` is asked about each IP address that a host name turned out to have.
        """
        self.end = 0.0
        self.is_connected = False
        #: Bytes that came since somebody set it to 0.
        self.received = 0
        #: Whether the other end was seen to say that no more will come.
        self.ended = False
        self._context = context
        self._allow = allow
        self._clock = clock
        self._socket: socket.socket | None = None
        self._interrupted = False

    def connect(self, host: str, port: int) -> None:
        """Connect to the first allowed address of `host` that answers.

        Each address has its share of the time that is left, so that a dead one leaves some to the
        next.
        """
        # The look-up of a name is the system's, with its own time-out.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        trouble: OSError = ConnectionError(f"{host} has no address")
        end = self.end
        try:
            for number, (family, kind, protocol, _, address) in enumerate(found):
                # The very address that is connected to: a second look-up could say another.
                if self._allow is not None and not self._allow(str(address[0])):
                    trouble = AddressRefused(f"{address[0]} is an address that is not allowed")
                    continue
                now = self._clock()
                self.end = now + (end - now) / (len(found) - number)
                try:
                    self._connect(socket.socket(family, kind, protocol), address, host)
                except ssl.SSLError:
                    raise
                except OSError as exc:
                    trouble = exc
                else:
                    self.is_connected = True
                    return
            raise trouble
        finally:
            self.end = end
            del trouble  # or it would hold this frame, and the frame it

    def sendall(self, data: bytes | memoryview, *more: bytes | memoryview) -> None:
        """Send all of it, and of what there is more, without a copy.

        Raise AnsweredEarly when an answer comes before it is all sent.
        """
        pieces = _cut([memoryview(piece) for piece in (data, *more)], self._send([data, *more]))
        while pieces:
            if not self._wait_for_room():
                raise AnsweredEarly(pieces)
            pieces = _cut(pieces, self._send(pieces))

    def _send(self, pieces: Sequence[bytes | memoryview]) -> int:
        sock = self._ready()
        # TLS has to copy them anyway.
        return sock.sendmsg(pieces) if self._context is None else sock.send(pieces[0])

    def readinto(self, buffer: memoryview) -> int:
        count = self._ready().recv_into(buffer)
        self.received += count
        self.ended = not count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what a reply is read from; closing it leaves the connection open."""
        return io.BufferedReader(_Reader(self))

    def holds(self, reader: io.BufferedReader) -> bool:
        """Say whether `reader`, of `makefile`, has bytes that were not read from it yet."""
        end, self.end = self.end, -math.inf  # so that it cannot receive any
        try:
            return bool(reader.peek(1))
        except TimeoutError:
            return False
        finally:
            self.end = end

    def interrupt(self) -> None:
        """End the wait of another thread, and refuse every later one."""
        self._interrupted = True
        sock = self._socket
        if sock is not None:
            with suppress(OSError):
                # Not SSLSocket's own, which changes the object under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _connect(self, sock: socket.socket, address: Address, host: str) -> None:
        self.close()
        self.ended = False
        self._socket = sock
        self._ready().connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        if self._context is not None:
            self._socket = tls = self._context.wrap_socket(
                sock, server_hostname=host, do_handshake_on_connect=False
            )
            self._ready()
            tls.do_handshake()

    def _wait_for_room(self) -> bool:
        """Wait until more can be sent; False when an answer came first."""
        # With TLS, bytes that came may be no answer but the protocol's own.
        if self._context is not None:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._ready(), selectors.EVENT_READ | selectors.EVENT_WRITE)
            for _, events in selector.select(max(0.0, self.end - self._clock())):
                if events & selectors.EVENT_READ:
                    return False
        return True

    def _ready(self) -> socket.socket:
        if self._interrupted or self._socket is None:
            raise ConnectionAbortedError("interrupted")
        left = self.end - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        return self._socket


class _Reader(io.RawIOBase):
    def __init__(self, line: DeadlineSocket) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.readinto(buffer)


def _cut(pieces: list[memoryview], sent: int) -> list[memoryview]:
    """Return what is left when the first `sent` bytes are gone."""
    while pieces and sent >= len(pieces[0]):
        sent -= len(pieces.pop(0))
    return [pieces[0][sent:], *pieces[1:]] if sent else pieces
