"""Hand-written stand-ins: a source that follows a script, a picture, a client, raw HTTP servers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import Message
from types import TracebackType
from typing import Self

import numpy as np

from sender.sources.contract import EndOfSource, Shot, SourceError
from shared.codec import Image
from shared.errors import FrameError
from shared.http_client import NoReply, Reply


class FakePicture:
    """Becomes the bytes it was made with."""

    def __init__(self, data: bytes = b"jpeg", *, width: int = 64, height: int = 48) -> None:
        self.data = data
        self.width = width
        self.height = height
        self.held_bytes = len(data)
        self.asked: list[tuple[int, tuple[int, int] | None]] = []

    def to_jpeg(self, quality: int, size: tuple[int, int] | None = None) -> bytes:
        self.asked.append((quality, size))
        if self.data == b"broken":
            raise FrameError("image: does not decode", status=422, reason="corrupt")
        return self.data

    def to_pixels(self, size: tuple[int, int]) -> Image:
        return np.zeros((size[1], size[0], 3), np.uint8)


def shot(data: bytes = b"jpeg", *, corrupt: bool = False, lost: int = 0, width: int = 64) -> Shot:
    return Shot(FakePicture(data, width=width), 1000.0, corrupt=corrupt, lost=lost)


Event = Shot | SourceError | EndOfSource


class ScriptedSource:
    """Gives what the script says; None in it is an open that works. Then it blocks."""

    def __init__(self, script: Iterable[Event | None], *, finite: bool = False) -> None:
        self._script: Iterator[Event | None] = iter(script)
        self.finite = finite
        self.length: int | None = None
        self.calls: list[str] = []
        self.interrupted = threading.Event()
        self.blocked = threading.Event()

    def open(self) -> None:
        self.calls.append("open")
        event = self._next()
        assert event is None

    def read(self) -> Shot:
        event = self._next()
        assert event is not None
        return event

    def close(self) -> None:
        self.calls.append("close")

    def interrupt(self) -> None:
        self.interrupted.set()

    def _next(self) -> Shot | None:
        try:
            event = next(self._script)
        except StopIteration:
            self.blocked.set()
            assert self.interrupted.wait(30)
            raise SourceError("told to stop", reason="interrupted") from None
        if isinstance(event, Exception):
            raise event
        return event


def reply(status: int = 202, body: bytes = b"", **headers: str) -> Reply:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return Reply(status, message, body)


class FakeClient:
    """Answers as told, then 202 for ever; keeps what was posted."""

    def __init__(self, *answers: Reply | NoReply) -> None:
        self._answers = iter(answers)
        self.posts: list[tuple[str, bytes, dict[str, str]]] = []
        self.calls: list[str] = []
        self.posted = threading.Event()

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        self.posts.append((target, body, dict(headers)))
        self.posted.set()
        if sent is not None:
            sent()
        answer = next(self._answers, None) or reply()
        if isinstance(answer, NoReply):
            raise answer
        return answer

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    def close(self) -> None:
        self.calls.append("close")


Handler = Callable[[socket.socket, int], None]


class RawServer:
    """A TCP server whose `handler(connection, number)` decides every byte."""

    def __init__(self, handler: Handler, *, port: int = 0) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="raw server")

    @property
    def connections(self) -> int:
        return len(self._connections)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(30)
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number = len(self._connections)
            self._connections.append(connection)
            thread = threading.Thread(target=self._handle, args=(connection, number))
            self._threads.append(thread)
            thread.start()

    def _handle(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError):
            self._handler(connection, number)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class Requests:
    """Reads HTTP requests off a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def __iter__(self) -> Iterator[tuple[str, dict[str, str], bytes]]:
        """Yield (request line, headers with small letters, body) until the client closes."""
        with self._file:
            while line := self._file.readline():
                headers = {}
                while (field := self._file.readline().decode().strip()) != "":
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                yield (
                    line.decode().strip(),
                    headers,
                    self._file.read(int(headers.get("content-length", 0))),
                )


def http_reply(status: str = "202 Accepted", body: bytes = b"ok", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class PostServer(RawServer):
    """A receiver: answers every POST as `answer` says, and keeps what came."""

    def __init__(self, answer: Callable[[int], bytes] | None = None, *, port: int = 0) -> None:
        super().__init__(self._serve, port=port)
        self._answer = answer or (lambda number: http_reply())
        self._came = threading.Condition()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, count: int, timeout: float = 30.0) -> None:
        """Wait until `count` frames came in all."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.requests) >= count, timeout)
            assert came, f"expected {count} frames, got {len(self.requests)}"

    def _serve(self, connection: socket.socket, _number: int) -> None:
        for request in Requests(connection):
            with self._came:
                self.requests.append(request)
                number = len(self.requests) - 1
                self._came.notify_all()
            connection.sendall(self._answer(number))


@contextmanager
def black_hole() -> Iterator[int]:
    """Give the port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
