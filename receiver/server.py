"""Server: Granian in front of the application, started, drained and stopped as one thing.

Granian serves from a child process. A pipe ties the two together: when the parent says stop, or its
end closes because it died, the child ends its live streams, which lets Granian finish the requests
in flight.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Protocol

from granian.constants import Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from receiver.connections import Connections
from receiver.tls import Tls
from shared.errors import ConfigError, FramepostError

logger = logging.getLogger(__name__)

#: Every slow client and every viewer holds one; with fewer threads than those, all would stall.
THREADS = 512
_CONNECTIONS = 2048
#: Bytes of a reply that wait for the kernel to take them, and of a request that are read at a time.
#: Granian would keep 400 kB, and for a viewer who reads slowly that is old pictures.
_BUFFER = 1 << 16
#: With 31 MiB the memory of 64 connections still grew after minutes, with 1 MiB it does not.
_KEPT_BLOCK = 1 << 20
#: Docker allows 10 s between asking and killing.
_STOP_SECONDS = 7
#: In which requests are answered with 503 and `Connection: close`.
_FAREWELL = 0.3
#: For the requests in flight, once all else has ended.
_STUCK_SECONDS = 1.0
#: Seconds between two looks for a bug in the service; a new process is what mends one.
_LOOK = 1.0


class PortError(FramepostError):
    """Raised when the address cannot be listened on."""


class Service(Protocol):
    """What is served: made in the process that serves it."""

    @property
    def app(self) -> Callable[..., Any]: ...

    def start(self) -> None: ...
    def drain(self) -> None:
        """Say no to what is new and end the streams."""

    def stop(self) -> None: ...
    def bug(self) -> BaseException | None:
        """Return what ended one of its threads, if something did."""


class Server(MPServer):
    """Serve what `build` makes until SIGINT or SIGTERM."""

    def __init__(
        self, build: Callable[[], Service], *, host: str, port: int, tls: Tls | None = None
    ) -> None:
        """Take the port now, so that a wrong one is known at once; raise PortError.

        With `tls` it speaks HTTPS and nothing else.
        """
        address, self._port = free_address(host, port)
        reader, self._lifeline = Pipe(duplex=False)
        scheme = "http" if tls is None else "https"
        self._load = partial(_load, build, reader, self._lifeline, (scheme, host, self._port))
        super().__init__(
            "framepost",
            address=address,
            port=self._port,
            interface=Interfaces.WSGI,
            loop=Loops.asyncio,
            blocking_threads=THREADS,
            backpressure=_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=_BUFFER),
            log_level=LogLevels.error,
            log_dictconfig={
                "version": 1,
                "disable_existing_loggers": False,
                "loggers": {
                    "_granian": {"level": "ERROR", "handlers": [], "propagate": True},
                },
            },
            workers_kill_timeout=_STOP_SECONDS,
            **_options(tls),
        )

    def run(self) -> None:
        """Serve; return after a clean stop, raise SystemExit(1) when the serving process died."""
        self.serve(target_loader=self._load, wrap_loader=False)

    def shutdown(self, exit_code: int = 0) -> None:
        self._lifeline.send_bytes(b"stop")
        # Granian ends connections that are between two requests at once, and a request that is on
        # its way on one of them is lost. So those who ask often are told first to come no more.
        # Ctrl-C reaches the process that serves too, which may end meanwhile, and rightly so.
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        time.sleep(_FAREWELL)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


def _options(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl_cert": tls.cert,
        "ssl_key": tls.key,
        "ssl_ca": tls.client_ca,
        "ssl_client_verify": tls.client_ca is not None,
        "ssl_protocol_min": SSLProtocols(f"tls{tls.least}"),
    }


def serve(name: str, prepare: Callable[[], Server | int]) -> int:
    """Run a program that serves; return its exit status: 0 after a stop, 1 when it cannot go on.

    2 for wrong settings, each said in a sentence, which `prepare` raises as ConfigError. It returns
    a status itself where there is nothing to serve.
    """
    try:
        server = prepare()
    except ConfigError as exc:
        sys.stderr.writelines(f"{name}: {problem}\n" for problem in exc.problems)
        return 2
    except PortError as exc:
        sys.stderr.write(f"{name}: {exc}\n")
        return 1
    if isinstance(server, int):
        return server
    server.run()
    return 0


def free_address(host: str, port: int) -> tuple[str, int]:
    """Return the IP address of `host`, and `port`, or a free one for 0.

    Raise PortError when it cannot be had: Granian shares ports between its workers, and so would
    silently share one with a stranger. Of a name's addresses IPv4 is preferred.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return str(address[0]), int(probe.getsockname()[1])
    except (socket.gaierror, UnicodeError):
        raise PortError(
            f"RECEIVER_HOST: expected an address of this machine, got {host!r}"
        ) from None
    except OSError as exc:
        why = "is in use by another program" if exc.errno == errno.EADDRINUSE else exc.strerror
        raise PortError(f"RECEIVER_PORT: {host}:{port} {why}") from None


def keep_freed_memory() -> None:
    """Have glibc keep what frames leave behind for the next ones.

    It returns freed memory beyond a threshold to the system, and every page of it that comes back
    is a fault. The threshold is twice the largest block that was freed, up to 32 MiB (mallopt(3),
    M_MMAP_THRESHOLD). Other C libraries do nothing by this, and the block is never touched.
    """
    bytes(_KEPT_BLOCK)


def _load(
    build: Callable[[], Service],
    reader: Connection,
    writer: Connection,
    place: tuple[str, str, int],
) -> Callable[..., Any]:
    """Make and start the service in the serving process, and tie its life to the pipe."""
    writer.close()
    keep_freed_memory()
    service = build()
    service.start()
    # Not a daemon: the process waits for it, and with it for the service's end.
    threading.Thread(target=_live, args=(service, reader), name="lifeline").start()
    threading.Thread(target=_announce, args=place, name="announce", daemon=True).start()
    return service.app


def _live(service: Service, reader: Connection) -> None:
    was_told = False
    with suppress(EOFError):  # the parent died
        while service.bug() is None and not was_told:
            was_told = reader.poll(_LOOK) and bool(reader.recv_bytes())
    service.drain()
    service.stop()
    if not was_told:
        os._exit(1)  # nobody else would end Granian
    # A client that neither reads nor writes would hold Granian until it is killed.
    stuck = threading.Timer(_STUCK_SECONDS, os._exit, (0,))
    stuck.daemon = True
    stuck.start()


def _announce(scheme: str, host: str, port: int) -> None:
    """Say where the page is, once it answers; then look after its connections, for ever."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    for _ in range(200):
        try:
            socket.create_connection((local, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            connections = Connections(port)
            connections.set_up()
            shown = f"[{local}]" if ":" in local else local
            logger.info("listening on %s:%d; see %s://%s:%d/", host, port, scheme, shown, port)
            connections.watch()
