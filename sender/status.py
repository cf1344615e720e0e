"""StatusServer: the sender's health, metrics and state over HTTP, for supervisors and people."""

from __future__ import annotations

import errno
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.errors import FramepostError

logger = logging.getLogger(__name__)

#: Returns one sentence for each thing that is wrong, none when all is well.
Check = Callable[[], Sequence[str]]


class PortError(FramepostError):
    """Raised when the address cannot be listened on."""


class StatusServer:
    """Answers GET /healthz, /metrics and /status on threads of its own, until `stop`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        registry: CollectorRegistry,
        cameras: Callable[[], Sequence[Any]],
        alive: Check,
    ) -> None:
        """Listen at once, on any free port for 0; raise PortError.

        `cameras` returns what /status says of each camera, in JSON-able form.
        """
        routes = {
            "/healthz": lambda: _check(alive()),
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry)),
            "/status": lambda: _json(200, {"cameras": list(cameras())}),
        }
        try:
            self._server = _Server(host, port, routes)
        except (socket.gaierror, UnicodeError):  # UnicodeError: a host such as a..b
            raise PortError(
                f"SENDER_STATUS_HOST: expected an address of this machine, got {host!r}"
            ) from None
        except OSError as exc:
            why = "is in use by another program" if exc.errno == errno.EADDRINUSE else exc.strerror
            raise PortError(f"SENDER_STATUS_PORT: {host}:{port} {why}") from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="status", daemon=True
        )

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(2)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


#: Status, content type, body.
Answer = tuple[int, str, bytes]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, routes: dict[str, Callable[[], Answer]]) -> None:
        self.routes = routes
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self.address_family = found[0][0]
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks a name server for this machine's name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about a client that went away; tell of a bug, and go on."""
        if not isinstance(sys.exception(), OSError):
            logger.exception("status: a request was not answered")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "framepost-sender"
    sys_version = ""
    #: Seconds that a client may be silent.
    timeout = 5

    def do_GET(self) -> None:
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            self._answer(*_json(404, {"routes": sorted(self.server.routes)}))
        else:
            self._answer(*route())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """A probe each few seconds is no news."""


def _check(problems: Sequence[str]) -> Answer:
    word = "not alive" if problems else "alive"
    return _json(503 if problems else 200, {"status": word, "problems": list(problems)})


def _json(status: int, content: Any) -> Answer:
    return status, "application/json", json.dumps(content).encode()
