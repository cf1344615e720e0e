"""ZmqSocket: one ZeroMQ socket, opened and closed again and again, each wait with an end.

ZeroMQ queues without end, waits for ever and says nothing: here queues are short, a wait ends with
its time or by `ring`, and what happens to connections is told.
"""

from __future__ import annotations

import errno
import math
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import zmq
from zmq.utils import z85

from shared.curve import Curve
from shared.errors import FramepostError
from shared.zmq_url import ZmqUrl

#: Messages of one peer that wait on either side, in ZeroMQ's own queues.
_QUEUE = 4
#: Kinds of sockets that others come to.
_BOUND = (zmq.ROUTER, zmq.PUB)
#: Milliseconds from one try to connect to the next, at first and at most.
_PAUSES = (100, 2000)
_BEGUN, _ENDED = zmq.EVENT_HANDSHAKE_SUCCEEDED, zmq.EVENT_DISCONNECTED
_REFUSED = {
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "ended before it was one; is that ZeroMQ?",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "speaks otherwise: no ZeroMQ, or keys on one side only",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "brought a key that is not known",
}
_TROUBLES: dict[int | None, str] = {
    zmq.EADDRINUSE: "the address is in use",
    zmq.EADDRNOTAVAIL: "this machine has no such address",
    errno.ENODEV: "this machine has no such address",
    errno.EACCES: "the port is not for everybody",
}
#: TCP asks a silent peer whether it is there: after seconds, so often, so many times.
_KEEPALIVE: dict[int, int] = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 5,
    zmq.TCP_KEEPALIVE_INTVL: 2,
    zmq.TCP_KEEPALIVE_CNT: 3,
}


class ZmqTrouble(FramepostError):
    """Raised when a socket cannot be opened; says why, without the address."""


class ZmqSocket:
    """A socket with a context of its own. For one thread; only `ring` may come from others."""

    def __init__(
        self,
        kind: int,
        url: ZmqUrl,
        *,
        curve: Curve | None = None,
        settings: Mapping[int, int] | None = None,
        refused: Callable[[str], object] = lambda why: None,
    ) -> None:
        """`settings` are ZeroMQ's, besides those that all have. `refused` is told why a connection
        did not come about.
        """
        self._kind = kind
        self._url = url
        self._curve = curve
        self._settings = settings or {}
        self._refused = refused
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: Any = None
        self._monitor: Any = None
        self._gate: Any = None
        self._poller = zmq.Poller()
        self._bell: socket.socket | None = None
        self._rope: socket.socket | None = None
        #: Connections that came about since the start, and whether the newest one still is there.
        self.connections = 0
        self.is_connected = False
        #: Connections that ended, or did not come about.
        self.losses = 0

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        """Bind or begin to connect; raise ZmqTrouble."""
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        try:
            self._context = zmq.Context()
            if self._curve is not None and self._curve.clients is not None:
                # Where ZeroMQ asks who may come (ZAP, RFC 27); before anybody can.
                self._gate = self._context.socket(zmq.REP)
                self._gate.bind("inproc://zeromq.zap.01")
            self._socket = self._context.socket(self._kind)
            self._set_up()
            self._monitor = self._socket.get_monitor_socket(_BEGUN | _ENDED | sum(_REFUSED))
            if self._kind in _BOUND:
                self._socket.bind(self._url.address)
            else:
                self._socket.connect(self._url.address)
            self._poller = zmq.Poller()
            for one in (self._socket, self._monitor, self._gate, self._bell):
                if one is not None:
                    self._poller.register(one, zmq.POLLIN)
        except zmq.ZMQError as exc:
            self.close()
            raise ZmqTrouble(_TROUBLES.get(exc.errno, str(exc))) from None

    def close(self, linger: float = 0.0) -> None:
        """Give up what is not sent within `linger` seconds; may be called twice."""
        if self._monitor is not None:
            self._socket.disable_monitor()
        for one in (self._monitor, self._socket, self._gate):
            if one is not None:
                one.close(linger=round(linger * 1000))
        if self._context is not None:
            self._context.term()
        for bell in (self._bell, self._rope):
            if bell is not None:
                bell.close()
        self._context = self._socket = self._monitor = self._gate = self._bell = None
        self.is_connected = False

    def ring(self) -> None:
        """End the `wait` that is, or the next one, while it is open; from any thread."""
        with suppress(OSError):  # it is full, which will do; or it was just closed
            if self._rope is not None:
                self._rope.send(b"!")

    def wait(self, seconds: float) -> bool:
        """Wait until something can be received.

        False when time is over, something happened to a connection, or it rang.
        """
        found = dict(self._poller.poll(math.ceil(max(0.0, seconds) * 1000)))
        if self._monitor in found:
            self._look()
        if self._gate in found:
            self._let_in()
        if self._bell is not None and self._bell.fileno() in found:
            self._bell.recv(4096)
        return self._socket in found

    def receive(self, most: int) -> list[zmq.Frame] | None:
        """Return the parts of a message that is there, or None; of more than `most` the first.

        All of its parts are in memory by then: of many small ones only a peer that is known can be
        kept from sending.
        """
        parts: list[zmq.Frame] = []
        more = True
        while more:
            try:
                part = self._socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.ZMQError:  # nothing there; or nothing due, as before a request is sent
                return None
            more = part.more
            if len(parts) <= most:
                parts.append(part)
        return parts

    def send(self, *parts: bytes) -> bool:
        """Send a message if that is possible at once, and tell whether it was."""
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError:  # nobody there, no room, or gone
            return False
        return True

    def _set_up(self) -> None:
        options: dict[int, int] = {
            zmq.LINGER: 0,
            zmq.SNDHWM: _QUEUE,
            zmq.RCVHWM: _QUEUE,
            zmq.IPV6: int(":" in self._url.host),
            zmq.RECONNECT_IVL: _PAUSES[0],
            zmq.RECONNECT_IVL_MAX: _PAUSES[1],
            **_KEEPALIVE,
            **self._settings,
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        if self._kind == zmq.SUB:
            self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        if self._curve is not None:
            self._socket.curve_publickey = self._curve.public
            self._socket.curve_secretkey = self._curve.secret
            if self._curve.server is not None:
                self._socket.curve_serverkey = self._curve.server
            else:
                self._socket.curve_server = True
                self._socket.zap_domain = b"framepost"

    def _look(self) -> None:
        """Read what happened to connections."""
        while True:
            try:
                event, *_ = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            (kind, _) = struct.unpack("=HI", event)
            if kind == _BEGUN:
                self.connections += 1
            self.losses += kind != _BEGUN
            if kind in (_BEGUN, _ENDED):
                self.is_connected = kind == _BEGUN
            else:
                self._refused(f"a connection {_REFUSED.get(kind, 'was refused')}")

    def _let_in(self) -> None:
        """Answer who may come; form as in ZAP (RFC 27)."""
        assert self._curve is not None
        version, number, _, _, _, mechanism, *proof = self._gate.recv_multipart()
        is_known = mechanism == b"CURVE" and z85.encode(proof[0]) in (self._curve.clients or ())
        said = (b"200", b"") if is_known else (b"400", b"unknown key")
        self._gate.send_multipart([version, number, *said, b"", b""])
