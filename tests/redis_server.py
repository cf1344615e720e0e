"""RedisServer: a real redis-server on a free port, without files, for tests."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import redis

from tests.conftest import missing
from tests.program import Command
from tests.sender.doubles import free_port

#: Somebody else may take the free port first.
_TRIES = 5


class RedisServer:
    """Entered when it answers; `stop`, `start` and `pause` as often as a test likes.

    It keeps its port over a restart, and nothing else: it has no files.
    """

    def __init__(
        self,
        *options: str,
        password: str | None = None,
        maxmemory: str | None = None,
        socket: Path | None = None,
    ) -> None:
        """`options` are further arguments of redis-server, `maxmemory` as there ("8mb").

        What does not fit is refused, not evicted. `socket` is a Unix socket besides the port.
        """
        if shutil.which("redis-server") is None:
            missing("redis-server", "apt-get install redis-server")
        self.password = password
        self.port = 0
        self._options = [*options]
        if password is not None:
            self._options += ["--requirepass", password]
        if maxmemory is not None:
            self._options += ["--maxmemory", maxmemory, "--maxmemory-policy", "noeviction"]
        if socket is not None:
            self._options += ["--unixsocket", str(socket)]
        self._command: Command | None = None
        self._clients = ExitStack()

    @property
    def url(self) -> str:
        """Where it is, password included: database 0."""
        login = "" if self.password is None else f":{self.password}@"
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def client(self, *, text: bool = False) -> redis.Redis:
        """Return a plain client for the test's own use, closed with the server.

        Values are bytes, or with `text` strings.
        """
        client = redis.Redis(
            host="127.0.0.1",
            port=self.port,
            password=self.password,
            decode_responses=text,
            socket_timeout=10,
        )
        self._clients.callback(client.close)
        return client

    def start(self) -> None:
        """Start it, on the port that it had if it was started before."""
        for _ in range(1 if self.port else _TRIES):
            port = self.port or free_port()
            command = Command(
                *("redis-server", "--port", str(port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", *self._options),
            )
            try:
                command.wait_for("Ready to accept connections")
            except AssertionError:
                command.__exit__(None, None, None)
                if "Address already in use" not in command.output:
                    raise
                continue
            self.port, self._command = port, command
            return
        raise AssertionError("redis-server got no port")

    def stop(self, number: int = signal.SIGKILL) -> None:
        """End it, by default without a word to its clients."""
        if self._command is not None:
            command, self._command = self._command, None
            command.signal(signal.SIGCONT)
            command.stop(number)
            command.__exit__(None, None, None)

    def pause(self) -> None:
        """Stand still, with every connection open."""
        self._running().signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clients.close()
        self.stop()

    def _running(self) -> Command:
        assert self._command is not None, "redis-server was stopped"
        return self._command


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Give a server without a password; a folder's conftest imports this."""
    with RedisServer() as server:
        yield server
