"""HttpClient: asks over one kept connection, each exchange within one deadline.

The usual libraries' time-outs are for each wait, so a reply that drips holds a frame for ever; and
their pools, redirects, proxies and cookies cost more than the rest of the exchange. Here the
standard library speaks HTTP over a DeadlineSocket.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Literal, cast

from shared.deadline_socket import AddressRefused, DeadlineSocket
from shared.errors import FramepostError

#: A reply to a frame is a line or two; more is somebody else's web page.
MAX_REPLY = 1 << 20

Reason = Literal["connect", "timeout", "reset", "tls", "protocol", "forbidden", "stopped"]


class NoReply(FramepostError):
    """Raised when a request got no whole reply; `reason` is fit for a metric's label.

    The server may have taken a POST's body all the same.
    """

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said. Headers are looked up without regard to case."""

    status: int
    headers: Message
    body: bytes

    @property
    def words(self) -> str:
        """A refusal's sentence: a problem's detail (RFC 9457), else how the body begins."""
        text = self.body.decode("utf-8", "replace")
        if self.headers.get_content_type() == "application/problem+json":
            with suppress(ValueError, TypeError, KeyError):
                text = str(json.loads(text)["detail"])
        return " ".join(text[:200].split())


class _Connection(HTTPConnection):
    """Leaves the line to HttpClient: a reply may end with the connection, and is read after it."""

    auto_open = 0

    def close(self) -> None:
        pass


class HttpClient:
    """A client of one server, for one thread at a time; only `interrupt` may come from others.

    No redirects, proxies, cookies or .netrc. The only second try is for a kept connection that
    the server closed before the first byte of a reply: at once, on a fresh one, within the
    deadline.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool = False,
        deadline: float = 5.0,
        max_reply: int = MAX_REPLY,
        context: ssl.SSLContext | None = None,
        allow: Callable[[str], bool] | None = None,
        second_try: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deadline` is seconds for connecting, sending and the whole reply together.

        `max_reply` is the most bytes that a reply's body may have.

        `allow` is asked about the IP address before each connection; default: every one.

        Without `second_try` a kept connection that the server closed is a NoReply too.
        """
        self._host = host
        self._port = port
        self._deadline = deadline
        self._max_reply = max_reply
        self._context = (context or ssl.create_default_context()) if tls else None
        self._allow = allow
        self._second_try = second_try
        self._clock = clock
        self._line: DeadlineSocket | None = None
        self._connection: HTTPConnection | None = None
        self._interrupted = False
        self._sent: Callable[[], object] | None = None

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        """POST `body` to the path and query `target`; raise NoReply.

        `sent` is called when all but the last 64 kB have left this machine, before the wait
        for the reply; twice where there was a second try.
        """
        self._sent = sent
        return self._ask(lambda end: self._exchange(target, body, headers, end))

    def get(self, target: str, headers: Mapping[str, str]) -> Reply:
        """GET the path and query `target`; raise NoReply."""
        return self._ask(lambda end: self._fetch(target, headers, end))

    def interrupt(self) -> None:
        """End an exchange that waits, and every later one, with NoReply; from any thread."""
        self._interrupted = True
        line = self._line
        if line is not None:
            line.interrupt()

    def close(self) -> None:
        """Close the connection; a later exchange opens a new one."""
        if self._line is not None:
            self._line.close()
        self._line = self._connection = None

    def _ask(self, exchange: Callable[[float], Reply]) -> Reply:
        """Return what `exchange` does, called with when it ends; raise NoReply."""
        end = self._clock() + self._deadline
        is_kept = self._connection is not None
        try:
            try:
                return exchange(end)
            except (ConnectionError, ssl.SSLError):
                is_over = self._interrupted or (self._line and self._line.received)
                if not is_kept or is_over or not self._second_try:
                    raise
                self.close()
                return exchange(end)
        except (OSError, HTTPException, ValueError) as exc:
            try:
                # By no name: what a frame of the stack holds holds that frame, and with it the
                # picture, until the garbage collector comes.
                raise self._no_reply(exc) from exc
            finally:
                self.close()

    def _exchange(self, target: str, body: bytes, headers: Mapping[str, str], end: float) -> Reply:
        _, connection = self._ready(end)
        # A server that refuses a body may answer, and even close, before it has read it all;
        # where it did not answer, the reading below fails in the same way.
        is_sent = False
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", target, body, dict(headers))
            is_sent = True
            self._tell_sent()
        return self._read_reply(connection, is_over=not is_sent)

    def _fetch(self, target: str, headers: Mapping[str, str], end: float) -> Reply:
        _, connection = self._ready(end)
        connection.request("GET", target, headers=dict(headers))
        return self._read_reply(connection)

    def _read_reply(self, connection: HTTPConnection, *, is_over: bool = False) -> Reply:
        """Return the reply; `is_over`: the connection is of no use after it."""
        response = connection.getresponse()
        if self._line is not None and self._line.ended:
            raise HTTPException("the head of the reply is cut off")
        content = response.read(self._max_reply + 1)
        if len(content) > self._max_reply:
            raise HTTPException(f"the reply is longer than {self._max_reply} bytes")
        if response.length:
            raise IncompleteRead(content, response.length)
        if response.will_close or is_over or not response.isclosed():
            self.close()
        return Reply(response.status, response.headers, content)

    def _tell_sent(self) -> None:
        if self._sent is not None:
            self._sent()

    def _ready(self, end: float) -> tuple[DeadlineSocket, HTTPConnection]:
        """Return the connection, made if there is none, for an exchange that ends at `end`."""
        if self._line is None:
            self._line = DeadlineSocket(context=self._context, allow=self._allow, clock=self._clock)
        line = self._line
        if self._interrupted:
            line.interrupt()
        line.end = end
        line.received = 0
        self._connection = self._connection or self._connect(line)
        return line, self._connection

    def _connect(self, line: DeadlineSocket) -> HTTPConnection:
        line.connect(self._host, self._port)
        connection = _Connection(self._host, self._port)
        connection.sock = cast(socket.socket, line)
        return connection

    def _no_reply(self, exc: Exception) -> NoReply:
        is_connected = self._line is not None and self._line.is_connected
        if self._interrupted:
            return NoReply("stopped while waiting for the reply", reason="stopped")
        if isinstance(exc, TimeoutError):
            what = "reply" if is_connected else "connection"
            return NoReply(f"no {what} within {self._deadline:g} s", reason="timeout")
        if isinstance(exc, ssl.SSLCertVerificationError):
            return NoReply(f"its certificate is not trusted: {exc.verify_message}", reason="tls")
        if isinstance(exc, ssl.SSLError) and "CERTIFICATE_REQUIRED" in str(exc.reason):
            return NoReply("it lets in only clients with a certificate", reason="tls")
        if isinstance(exc, ssl.SSLError) and (not is_connected or "ALERT" in str(exc.reason)):
            return NoReply(f"no TLS connection: {exc.reason or exc}", reason="tls")
        if isinstance(exc, AddressRefused):
            return NoReply(str(exc), reason="forbidden")
        if isinstance(exc, socket.gaierror):
            return NoReply(f"no address for {self._host!r}: {exc.strerror}", reason="connect")
        if not is_connected:
            return NoReply(f"no connection: {getattr(exc, 'strerror', exc)}", reason="connect")
        is_over = self._line is not None and self._line.ended
        if is_over or isinstance(exc, (OSError, IncompleteRead)):
            return NoReply("the connection ended before the reply did", reason="reset")
        return NoReply(f"no HTTP reply that we read: {str(exc)[:200]!r}", reason="protocol")
