"""RedisLine: one connection to a Redis, commands sent and replies read, each wait with an end.

The usual clients pool, queue and try again; here what failed is gone, for a newer frame is the
retry. Of redis-py the connection is used: its protocol, its log-in, its TLS.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Literal

import redis
from redis._parsers import _RESP2Parser

from shared.errors import FramepostError
from shared.redis_socket import Bounds, TcpConnection, TlsConnection, UnixConnection
from shared.redis_url import RedisUrl

#: Bytes that are read at once.
_READ = 1 << 18
#: Characters of an answer that people are shown.
_WORDS = 120

#: Why nothing was heard; or else what Redis said.
Silence = Literal["connect", "timeout", "reset", "tls", "protocol", "stopped"]
Refusal = Literal["password", "forbidden", "full", "readonly", "loading", "refused"]
#: A command's name, and what follows.
Command = tuple[str | bytes, ...]

_Connection = TcpConnection | TlsConnection | UnixConnection
_KINDS: dict[str, type[TcpConnection] | type[TlsConnection] | type[UnixConnection]] = {
    "redis": TcpConnection,
    "rediss": TlsConnection,
    "unix": UnixConnection,
}
#: What redis-py raises, and what falls through it where an answer makes no sense.
_TROUBLE = (redis.RedisError, OSError, ValueError, RecursionError)
_REFUSALS: dict[type[Exception], tuple[Refusal, str]] = {
    redis.AuthenticationError: ("password", "does not let us in"),
    redis.BusyLoadingError: ("loading", "is still loading its data"),
    redis.exceptions.NoPermissionError: ("forbidden", "does not permit it"),
    redis.OutOfMemoryError: ("full", "is full"),
    redis.ReadOnlyError: ("readonly", "is a replica, which only reads"),
    redis.ResponseError: ("refused", "refuses it"),
}


class RedisTrouble(FramepostError):
    """The root of what a Redis did not do; `reason` is fit for a metric's label."""

    reason: str


class RedisSilence(RedisTrouble):
    """Raised when no whole reply came."""

    def __init__(self, message: str, *, reason: Silence) -> None:
        super().__init__(message)
        self.reason: Silence = reason


class RedisRefusal(RedisTrouble):
    """Redis' own answer when it does not do as it is told."""

    def __init__(self, message: str, *, reason: Refusal) -> None:
        super().__init__(message)
        self.reason: Refusal = reason


class RedisLine:
    """Connects when it is first used, and anew after trouble. Nothing is tried twice; a kept
    connection that the server has closed is noticed before it is used.

    For one thread at a time; only `interrupt` may come from others.
    """

    def __init__(
        self, url: RedisUrl, *, deadline: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`deadline` is seconds for connecting, sending and all the replies of an `ask`."""
        self._url = url
        self._deadline = deadline
        self._clock = clock
        self._bounds = Bounds(clock)
        self._connection: _Connection | None = None

    def ask(self, *commands: Command) -> list[Any]:
        """Send all commands at once and return their replies; raise RedisTrouble.

        Replies are bytes, int, None, or a list of these. What Redis refused stands among them, at
        any depth, as a RedisRefusal; raised is only one that ends the connection.
        """
        if self._connection is not None and not self._is_quiet(self._connection):
            self.close()
        self.send(*commands)
        try:
            return [self._read() for _ in commands]
        except _TROUBLE as exc:
            raise self._give_up(exc) from exc

    def send(self, *commands: Command) -> None:
        """Send commands whose replies `hear` returns; raise RedisTrouble."""
        try:
            connection = self._ready()
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        except _TROUBLE as exc:
            raise self._give_up(exc) from exc

    def hear(self, timeout: float) -> Any:
        """Return the next reply or message, None after `timeout` seconds; raise RedisTrouble."""
        self._bounds.end = self._clock() + timeout
        try:
            return self._read()
        except redis.TimeoutError:
            return None
        except _TROUBLE as exc:
            raise self._give_up(exc) from exc

    def interrupt(self) -> None:
        """End a wait, and refuse every later one, with RedisSilence; from any thread."""
        self._bounds.interrupt()

    def close(self) -> None:
        """Close the connection; what is sent later opens a new one."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = self._bounds.socket = None

    def _ready(self) -> _Connection:
        self._bounds.end = self._clock() + self._deadline
        if self._connection is None:
            self._connection = _KINDS[self._url.scheme](
                bounds=self._bounds,
                **self._url.settings,
                # The oldest, which everything that calls itself a Redis speaks; and read in the
                # same way on every machine, whatever else is installed.
                protocol=2,
                parser_class=_RESP2Parser,
                socket_read_size=_READ,
                driver_info=None,
            )
            self._connection.connect()
            # Who is not let in is told so now: a picture that comes before is met by a closed door.
            self._connection.send_command("PING", check_health=False)
            self._read()
        return self._connection

    def _is_quiet(self, connection: _Connection) -> bool:
        """Tell whether nothing came that was not asked for, such as the connection's end."""
        self._bounds.end = self._clock()
        try:
            return not connection.can_read()
        except _TROUBLE:
            return False

    def _read(self) -> Any:
        if self._connection is None:
            raise ConnectionResetError("not connected")
        try:
            return self._look_through(self._connection.read_response(disconnect_on_error=False))
        except redis.ResponseError as exc:
            return self._refusal(exc)

    def _look_through(self, reply: Any) -> Any:
        if isinstance(reply, list):
            return [self._look_through(one) for one in reply]
        return self._refusal(reply) if isinstance(reply, redis.ResponseError) else reply

    def _give_up(self, exc: Exception) -> RedisTrouble:
        """Close the connection and return what is wrong with it."""
        is_connected = self._bounds.socket is not None
        self.close()
        if self._bounds.is_interrupted:
            return RedisSilence("stopped while waiting for Redis", reason="stopped")
        if isinstance(exc, tuple(_REFUSALS)):
            return self._refusal(exc)
        if isinstance(exc, (redis.TimeoutError, TimeoutError)):
            what = "reply" if is_connected else "connection"
            return RedisSilence(f"no {what} within {self._deadline:g} s", reason="timeout")
        cause = _os_error(exc)
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message
            return RedisSilence(f"its certificate is not trusted: {why}", reason="tls")
        if isinstance(cause, ssl.SSLError) and not is_connected:
            return RedisSilence(f"no TLS connection: {cause.reason or cause}", reason="tls")
        if not is_connected:
            why = getattr(cause, "strerror", None) or str(cause or self._clean(exc))
            if isinstance(cause, socket.gaierror):
                why = f"no address for {self._url.settings['host']!r}: {why}"
            return RedisSilence(f"no connection: {why}", reason="connect")
        if isinstance(exc, (redis.ConnectionError, OSError)):
            return RedisSilence("the connection ended before the reply did", reason="reset")
        return RedisSilence(f"no Redis that we understand: {self._clean(exc)}", reason="protocol")

    def _refusal(self, exc: Exception) -> RedisRefusal:
        reason, meaning = next(_REFUSALS[kind] for kind in _REFUSALS if isinstance(exc, kind))
        return RedisRefusal(f"{meaning}: {self._clean(exc)}", reason=reason)

    def _clean(self, exc: Exception) -> str:
        """Return its words without the password: some servers repeat what they do not know."""
        text = " ".join(str(exc).split())
        password = self._url.settings.get("password")
        return repr((text.replace(password, "***") if password else text)[:_WORDS])


def _os_error(exc: BaseException | None) -> OSError | None:
    """Return the system's error, out of which redis-py made its own."""
    while exc is not None and not isinstance(exc, OSError):
        exc = exc.__cause__ or exc.__context__
    return exc
