"""A scriptable HTTP server for the clients' tests: it keeps all that came, and answers as told.

with ScriptedServer() as server:                       # 202 accepted, for ever
with ScriptedServer([problem(413, "too large")]) as …  # that once, then accepted, for ever
with ScriptedServer(lambda request: …) as server:      # an Answer for each Request
…
server.wait_for(3)
assert [request.seq for request in server.requests] == [0, 1, 2]
assert server.connections == 1
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import parse_qsl, urlsplit

from tests.sender.doubles import RawServer


@dataclass(frozen=True)
class Request:
    """One request as it came. `connection` counts the server's TCP connections from 0."""

    connection: int
    method: str
    target: str
    version: str
    #: Names with small letters.
    headers: Mapping[str, str]
    body: bytes
    #: Unix seconds when the last byte had come.
    at: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def camera(self) -> str:
        return self.path.split("/")[2]

    @property
    def epoch(self) -> str | None:
        return self.headers.get("x-frame-epoch")

    @property
    def seq(self) -> int | None:
        text = self.headers.get("x-frame-seq")
        return None if text is None else int(text)


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    status: int = 202
    #: What json.dumps takes, or bytes that go as they are.
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Answer only once this is set (or the server ends).
    after: threading.Event | None = None
    #: Never answer; the connection stays open until the server ends.
    silent: bool = False
    #: After the headers, send the body one byte each `drip` seconds, and never its last byte.
    drip: float | None = None
    #: Send only this many bytes of the whole reply, then close the connection.
    cut: int | None = None
    #: Close the connection after the reply, without having said so.
    close: bool = False

    @cached_property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    @cached_property
    def head(self) -> bytes:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(self.content))}
        headers |= self.headers
        phrase = HTTPStatus(self.status).phrase
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def accepted(request: Request, **headers: str) -> Answer:
    """Take the frame without a result, as a receiver without a hook does."""
    return _reply(request, 202, {"state": "accepted"}, headers)


def processed(request: Request, result: Any, **headers: str) -> Answer:
    """Give the hook's result."""
    timings = {"queue": 0.1, "decode": 2.31, "hook": 4.0, "total": 6.7}
    said = {"state": "processed", "result": result, "timings": timings}
    return _reply(request, 200, said, headers)


def superseded(request: Request, **headers: str) -> Answer:
    return _reply(request, 200, {"state": "superseded"}, headers)


def failed(request: Request, error: str, **headers: str) -> Answer:
    return _reply(request, 500, {"state": "failed", "error": error}, headers)


def problem(status: int, detail: str, **headers: str) -> Answer:
    """Refuse, as application/problem+json (RFC 9457)."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(
        status, body, {"Content-Type": "application/problem+json", **_header_names(headers)}
    )


def _reply(
    request: Request, status: int, said: Mapping[str, Any], headers: Mapping[str, str]
) -> Answer:
    facts = {"camera": request.camera, "epoch": request.epoch, "seq": request.seq}
    times = {"X-Received-At": f"{request.at:.6f}", "X-Replied-At": f"{time.time():.6f}"}
    return Answer(status, {**facts, **said}, {**times, **_header_names(headers)})


def _header_names(keywords: Mapping[str, str]) -> dict[str, str]:
    """`Retry_After="1"` is the header Retry-After: 1."""
    return {name.replace("_", "-"): value for name, value in keywords.items()}


Script = Callable[[Request], Answer]


class ScriptedServer:
    """Answer each request as `script` says; look at `requests` and `connections` from any thread.

    The script is a function of the request, or answers that are given one after the other and then
    `accepted` for ever. A connection is kept alive until the client closes it, the answer says
    otherwise, or the server ends. Bodies with Content-Length or chunked are read whole.
    """

    def __init__(self, script: Script | Iterable[Answer] = (), *, port: int = 0) -> None:
        self._script = script if callable(script) else _in_turn(script)
        self._raw = RawServer(self._serve, port=port)
        self._came = threading.Condition()
        self._ending = threading.Event()
        self.requests: list[Request] = []

    @property
    def port(self) -> int:
        return self._raw.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many TCP connections came in all."""
        return self._raw.connections

    def wait_for(self, count: int, *, seconds: float = 30.0) -> Request:
        """Wait until `count` requests came in all; return the last of those."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.requests) >= count, seconds)
            assert came, f"expected {count} requests, got {len(self.requests)}"
            return self.requests[count - 1]

    def __enter__(self) -> Self:
        self._raw.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._raw.__exit__(kind, error, traceback)

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection.makefile("rb") as incoming:
            while request := self._read(incoming, connection, number):
                with self._came:
                    self.requests.append(request)
                    self._came.notify_all()
                if not self._give(self._script(request), connection):
                    return

    def _read(self, incoming: BinaryIO, connection: socket.socket, number: int) -> Request | None:
        line = incoming.readline().decode("latin-1").split()
        if len(line) != 3:
            return None
        headers = {}
        while text := incoming.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(_chunks(incoming))
        else:
            body = incoming.read(int(headers.get("content-length", "0")))
        method, target, version = line
        return Request(number, method, target, version, headers, body, time.time())

    def _give(self, answer: Answer, connection: socket.socket) -> bool:
        """Answer; say whether the connection goes on."""
        if answer.silent:
            self._ending.wait()
            return False
        if answer.after is not None:
            while not (answer.after.wait(0.02) or self._ending.is_set()):
                pass
        if answer.drip is not None:
            connection.sendall(answer.head)
            for byte in answer.content[:-1]:
                connection.sendall(bytes([byte]))
                if self._ending.wait(answer.drip):
                    break
            self._ending.wait()
            return False
        whole = answer.head + answer.content
        with suppress(OSError):
            connection.sendall(whole if answer.cut is None else whole[: answer.cut])
        return answer.cut is None and not answer.close


def _in_turn(answers: Iterable[Answer]) -> Script:
    lock = threading.Lock()
    rest = iter(answers)

    def script(request: Request) -> Answer:
        with lock:
            answer = next(rest, None)
        return accepted(request) if answer is None else answer

    return script


def _chunks(incoming: BinaryIO) -> Iterable[bytes]:
    """Yield a chunked body's chunks (RFC 9112, section 7.1); stop where the client breaks off."""
    while size := int(incoming.readline().split(b";")[0].strip() or b"0", 16):
        yield incoming.read(size)
        incoming.readline()
    while incoming.readline().strip():
        pass
