"""Server: serves a WSGI application on threads of the sender's own process."""

from __future__ import annotations

import errno
import io
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from shared.errors import FramepostError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

logger = logging.getLogger(__name__)

#: Seconds in which a client has to say what it asks for.
_ASK = 5.0
#: Seconds in which it has to take each piece of so many bytes of what it is sent.
_TAKE = 15.0
_PIECE = 64 << 10
#: A request's body is of no use here; of a longer one the rest is not read.
_BODY = 64 << 10
#: Of what is sent the kernel holds so much that is not on its way yet: to a viewer who reads slowly
#: more would be pictures of seconds ago.
_UNSENT = 128 << 10
#: Seconds for the threads to end in.
_END = 2.0


class PortError(FramepostError):
    """Raised when the address cannot be listened on."""


class Server:
    """Answers with `app`, a thread for each connection, until `stop`."""

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        *,
        connections: int,
        end_streams: Callable[[], None] = lambda: None,
    ) -> None:
        """Listen at once, on any free port for 0; raise PortError.

        More than so many `connections` at a time are answered 503. `end_streams` has those answers
        end that would go on, when it stops.
        """
        self._end_streams = end_streams
        with _listen(host, port) as listener:
            self._server = _Server(listener, app, connections)
        self.port: int = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="status", daemon=True
        )

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, with every connection there is."""
        self._end_streams()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(_END)
        self._server.server_close()
        self._server.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                # What the socket accepts inherits it.
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
            listener.bind(address)
            listener.listen()
        except BaseException:
            listener.close()
            raise
    except (socket.gaierror, UnicodeError):  # UnicodeError: a host such as a..b
        raise PortError(
            f"SENDER_STATUS_HOST: expected an address of this machine, got {host!r}"
        ) from None
    except OSError as exc:
        why = "is in use by another program" if exc.errno == errno.EADDRINUSE else exc.strerror
        raise PortError(f"SENDER_STATUS_PORT: {host}:{port} {why}") from None
    return listener


class _Server(ThreadedWSGIServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, app: WSGIApplication, connections: int) -> None:
        host, port = listener.getsockname()[:2]
        # It makes a socket of its own out of the number, whose owner we remain.
        super().__init__(host, port, app, handler=_Handler, fd=listener.fileno())
        self._connections = connections
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread of its own, while there may be more of these."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="status connection",
            daemon=True,
        )
        with self._lock:
            is_room = len(self._open) < self._connections
            if is_room:
                self._open[request] = thread
        if is_room:
            thread.start()
            return
        with suppress(OSError):
            request.settimeout(0)
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\n\r\n")
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def end(self) -> None:
        """End what still goes on; some thread may be about to write to a client that is stuck."""
        with self._lock:
            there_are = dict(self._open)
        for connection in there_are:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + _END
        for thread in there_are.values():
            thread.join(max(0.0, until - time.monotonic()))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about a client that went away; tell of a bug, and go on."""
        if not isinstance(sys.exception(), OSError):
            logger.exception("status: a request was not answered")

    def log(self, type: str, message: str, *args: Any) -> None:
        logger.error("status: %s", message % args if args else message)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"
    server_version = "framepost-sender"
    sys_version = ""
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Question(self.connection))
        self.wfile = _Answer(self.connection)

    def run_wsgi(self) -> None:
        # No route reads a body, and this class would read gigabytes of it at the end.
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and len(length) < 9:
            self.rfile.read(min(int(length), _BODY))
        self.rfile = io.BytesIO()
        super().run_wsgi()

    def version_string(self) -> str:
        return self.server_version

    def log(self, type: str, message: str, *args: Any) -> None:
        """A probe each few seconds is no news, nor is a request that is none."""


class _Question(io.RawIOBase):
    """What comes on a connection, all of it in time: a byte now and then would hold a thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = time.monotonic() + _ASK

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._connection.settimeout(max(0.001, self._end - time.monotonic()))
        return self._connection.recv_into(buffer)


class _Answer(io.BufferedIOBase):
    """What goes to it; each piece has its own time, so that who is slow is not taken for stuck."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._connection.settimeout(_TAKE)
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._connection.sendall(view[start : start + _PIECE])
        return len(view)
