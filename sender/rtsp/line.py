"""Line: the TCP or TLS connection of an RTSP conversation, on which nothing blocks."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sender.rtsp.inbox import Inbox, Item
from sender.rtsp.message import Reply
from sender.rtsp.watch import READABLE, WRITABLE, Watch
from sender.sources.attempt import Attempt, Overdue
from sender.sources.interrupt import Interrupt

#: As getaddrinfo returns them.
Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

#: What may wait for a server that does not read: some dozens of requests.
MAX_UNSENT_BYTES = 64 << 10
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def look_up(host: str, port: int, interrupt: Interrupt, *, until: float) -> Sequence[Found]:
    """Return the addresses of `host`; raise OSError or SourceError, at `until` TimeoutError."""
    with suppress(OSError):
        numeric = socket.AI_NUMERICHOST
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=numeric)
    # The system's look-up has a time-out of its own and cannot be ended.
    attempt = Attempt[Sequence[Found]](
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
        discard=lambda found: None,
        name=f"looking up {host}",
    )
    with suppress(Overdue):
        return attempt.run(max(0.0, until - time.monotonic()), interrupt)
    raise TimeoutError(f"{host} was not found in time")


class Line:
    """For one thread. What goes wrong is an OSError; the other side's end is an EOFError.

    With TLS the certificate is not looked at, because cameras sign their own: FFmpeg does the same.
    """

    def __init__(self, watch: Watch) -> None:
        self.inbox = Inbox()
        self._watch = watch
        self._socket: socket.socket | None = None
        self._unsent = bytearray()

    @property
    def items(self) -> deque[Item]:
        """What came and was not yet taken, oldest first."""
        return self.inbox.items

    @property
    def is_clear(self) -> bool:
        """Whether all that was to be sent has left."""
        return not self._unsent

    @property
    def local_host(self) -> str:
        return str(self._connected.getsockname()[0])

    @property
    def peer_host(self) -> str:
        return str(self._connected.getpeername()[0])

    def connect(self, addresses: Sequence[Found], *, tls: str | None, until: float) -> None:
        """Connect to the first address that answers, each in its share of the time.

        `tls` is the host's name where TLS is to be spoken.
        """
        trouble: OSError = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        try:
            for tried, (family, kind, protocol, _, address) in enumerate(addresses):
                now = time.monotonic()
                try:
                    share = now + (until - now) / (len(addresses) - tried)
                    self._connect(socket.socket(family, kind, protocol), address, until=share)
                    if tls is not None:
                        self._shake_hands(tls, until=until)
                except OSError as exc:
                    trouble = exc
                else:
                    return
            raise trouble
        finally:
            del trouble  # or it would hold this frame, and the frame it

    def send(self, data: bytes) -> None:
        """Send what there is room for now; the rest goes when there is."""
        self._unsent += data
        self.flush()
        if len(self._unsent) > MAX_UNSENT_BYTES:
            raise ConnectionError("the server does not read what it is sent")

    def flush(self) -> None:
        """Send on; to be called whenever the line is ready for anything."""
        sock, was_clear = self._connected, self.is_clear
        with suppress(*_LATER):
            while self._unsent:
                del self._unsent[: sock.send(self._unsent)]
        if self._unsent or not was_clear:
            self._watch.change(sock, READABLE if self.is_clear else READABLE | WRITABLE)

    def read(self) -> None:
        """Put what has come into `items`."""
        try:
            # There is room for more than TLS's longest record, so none of one stays behind, where
            # no watch would see it.
            count = self._connected.recv_into(self.inbox.room())
        except _LATER:
            return
        if count == 0:
            raise EOFError
        self.inbox.take(count, time.monotonic())

    def wait(self, *, until: float) -> None:
        """Wait for something in `items`; raise TimeoutError at `until`, SourceError too."""
        while not self.items:
            # First, so that a server that always has something to say is late as well.
            if time.monotonic() >= until:
                raise TimeoutError
            self.ready(self._watch.wait(until))

    def ready(self, found: Mapping[object, int]) -> None:
        """Send and read, if the watch found that the line is ready for it."""
        if self._connected in found:
            self.flush()
            self.read()

    def hang_up(self, data: bytes, *, cseq: int, seconds: float) -> None:
        """Say goodbye: send the request, and close with its answer, or without after `seconds`.

        Closed at once, with packets unread, the connection would be reset, and the server might
        never read the request. Never raises.
        """
        sock, end = self._connected, time.monotonic() + seconds
        with suppress(OSError, EOFError):
            self._unsent += data
            while (left := end - time.monotonic()) > 0:
                sock.settimeout(left)
                if self._unsent:
                    del self._unsent[: sock.send(self._unsent)]
                    continue
                self.items.clear()
                self.read()
                if any(isinstance(item, Reply) and item.cseq == cseq for item in self.items):
                    break
        self.close()

    def close(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            self._watch.remove(sock)
            sock.close()

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    @property
    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._socket

    def _connect(self, sock: socket.socket, address: Any, *, until: float) -> None:
        self.close()
        self._socket = sock
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address)
        if code == errno.EINPROGRESS:
            self._watch.add(sock, WRITABLE)
            if not self._watch.wait(until):
                raise TimeoutError
            self._watch.remove(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._watch.add(sock, READABLE)

    def _shake_hands(self, host: str, *, until: float) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = self._connected
        self._watch.remove(plain)
        self._socket = tls = context.wrap_socket(
            plain, server_hostname=host, do_handshake_on_connect=False
        )
        self._watch.add(tls, READABLE)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                wanted = READABLE
            except ssl.SSLWantWriteError:
                wanted = WRITABLE
            else:
                self._watch.change(tls, READABLE)
                return
            self._watch.change(tls, wanted)
            if not self._watch.wait(until):
                raise TimeoutError
