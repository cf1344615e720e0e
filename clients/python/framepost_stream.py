"""Stream: many frames in one request, each answered with a line: the cheapest way to send many.

    with Stream(Client(url, "door"), wait=1.0, every=True) as stream:
        while True:
            reply = stream.send(camera.read())
            print(reply and reply.result)

Copy this file beside framepost_client.py.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from framepost_client import (
    MAX_REPLY,
    Client,
    Frame,
    Line,
    NoReply,
    Reply,
    deadline,
    read_control,
    read_retry_after,
    refusal,
)
from requests.utils import DEFAULT_CA_BUNDLE_PATH

_LINES = "application/x-ndjson"
#: So many seconds apart are the exchanges that the receiver is told of, to compare clocks by.
_TELL_EVERY = 0.1
#: Ends a part, and the chunk that it is.
_TAIL = b"\r\n\r\n"


class Stream:
    """Sends a client's frames as the parts of endless requests; for one thread at a time.

    Each of those `in_flight` has a request, and so a connection, of its own: with two, a frame
    travels while the hook works on the one before it. A frame that the receiver refuses is a reply
    with the state `refused`, the reason in its `error`.
    """

    def __init__(
        self,
        client: Client,
        *,
        wait: float | None = None,
        every: bool = False,
        in_flight: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """From here on the `client` is this stream's. `wait` and `every` are as in `Client.send`.

        The client's `timeout`, and `wait` on top, is for one call of `send`.
        """
        self._client = client
        self._wait = wait
        self._clock = clock
        self._free = deque(_Request(client, wait, every=every) for _ in range(in_flight))
        #: With a frame in flight, the oldest first.
        self._busy: deque[_Request] = deque()
        #: By the clock: when times of an exchange are to be noted again.
        self._tell_at = clock()

    def send(
        self,
        data: bytes,
        *,
        content_type: str = "image/jpeg",
        captured_at: float | None = None,
    ) -> Reply | None:
        """Send one picture; return the reply of the oldest when so many are in flight, else None.

        Raise NoReply, or Refused where the receiver takes no stream of this camera at all. What was
        in flight then is lost, and the next call begins anew.
        """
        frame = self._client.capture(data, content_type=content_type, captured_at=captured_at)
        with self._exchange():
            request = self._free.popleft()
            self._busy.append(request)
            request.post(frame)
            return None if self._free else self._hear()

    def flush(self) -> list[Reply]:
        """Return the replies of all that are in flight; raise as `send` does."""
        replies = []
        while self._busy:
            with self._exchange():
                replies.append(self._hear())
        return replies

    def close(self) -> None:
        """End the requests; what is in flight is not waited for. A later `send` begins new ones."""
        self._set_deadline()
        for request in (*self._free, *self._busy):
            request.end()
        self._drop()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hear(self) -> Reply:
        request = self._busy.popleft()
        self._free.append(request)
        reply, times = request.hear()
        if (now := self._clock()) >= self._tell_at:
            self._tell_at = now + _TELL_EVERY
            self._client.heard(*times)
        return reply

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        self._set_deadline()
        try:
            yield
        except BaseException as exc:
            self._drop()
            if isinstance(exc, (OSError, HTTPException)):
                raise _no_reply(exc) from exc
            raise

    def _set_deadline(self) -> None:
        deadline.at = time.monotonic() + self._client.timeout + (self._wait or 0.0)

    def _drop(self) -> None:
        self._free.extend(self._busy)
        self._busy.clear()
        for request in self._free:
            request.drop()


class _Request:
    """One endless request: a part is posted, and its line heard before the next. Raises OSError,
    HTTPException and Refused; the thread's `deadline` holds.
    """

    def __init__(self, client: Client, wait: float | None, *, every: bool) -> None:
        self._client = client
        self._wait = wait
        self._every = every
        self._line: Line | None = None
        self._response: HTTPResponse | None = None
        #: Of the frame in flight: its number, and when it was sent as in its X-Sent-At.
        self._seq = 0
        self._sent = ""

    def post(self, frame: Frame) -> None:
        """Write the frame's part, and before the first the connection and the request's head."""
        if self._line is None:
            self._begin()
        assert self._line is not None
        headers = self._client.envelope(frame)
        self._seq, self._sent = frame.seq, headers["X-Sent-At"]
        # The length first: whoever knows it can read the rest in one go.
        head = _head("--framepost", {"Content-Length": str(len(frame.data)), **headers})
        size = b"%x\r\n" % (len(head) + len(frame.data) + 2)
        # The receiver may have hung up, and said before why.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._line.sendall(b"".join((size, head, frame.data, _TAIL)))

    def hear(self) -> tuple[Reply, tuple[str, str, str]]:
        """Return the reply, and when the frame was sent and received and the reply written."""
        line = (self._response or self._read_head()).readline(MAX_REPLY + 1)
        if not line.endswith(b"\n"):
            if len(line) > MAX_REPLY:
                raise HTTPException(f"the line is longer than {MAX_REPLY} bytes")
            raise ConnectionResetError("the stream ended")
        try:
            said: dict[str, Any] = json.loads(line)
            reply = _read_reply(said, self._seq)
            received, replied = f"{said['received_at']:.6f}", f"{said['replied_at']:.6f}"
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise HTTPException(f"{line[:80].decode('utf-8', 'replace')!r}") from exc
        return reply, (self._sent, received, replied)

    def end(self) -> None:
        """Say that no more parts come."""
        if self._line is not None:
            with suppress(OSError):
                self._line.sendall(b"0\r\n\r\n")

    def drop(self) -> None:
        """Close the connection; a later `post` opens a new one."""
        if self._response is not None:
            self._response.close()
        if self._line is not None:
            self._line.close()
        self._line = self._response = None

    def _begin(self) -> None:
        address = urlsplit(self._client.url)
        self._line = Line(self._connect(address.hostname or "", address.port, address.scheme))
        query = "?mode=every" if self._every else ""
        headers = {
            "Host": address.netloc.rpartition("@")[2],
            **self._client.headers,
            "Content-Type": "multipart/x-mixed-replace; boundary=framepost",
            "Accept": _LINES,
            "Transfer-Encoding": "chunked",
        }
        if self._wait is not None:
            headers["Prefer"] = f"wait={round(self._wait, 3)}"
        self._line.sendall(_head(f"POST {address.path}/stream{query} HTTP/1.1", headers))

    def _connect(self, host: str, port: int | None, scheme: str) -> socket.socket:
        is_tls = scheme == "https"
        seconds = min(self._client.connect_timeout, self._client.timeout)
        line = socket.create_connection((host, port or (443 if is_tls else 80)), seconds)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not is_tls:
            return line
        context = ssl.create_default_context()
        verify = self._client.verify
        if verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            roots = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
            is_folder = Path(roots).is_dir()
            context.load_verify_locations(
                None if is_folder else roots, roots if is_folder else None
            )
        try:
            return context.wrap_socket(line, server_hostname=host)
        except BaseException:
            line.close()
            raise

    def _read_head(self) -> HTTPResponse:
        # Kept before it is read, for `_drop` to close.
        self._response = response = HTTPResponse(cast(Any, self._line), method="POST")
        response.begin()
        kind = response.headers.get_content_type()
        if response.status == 200 and kind == _LINES:
            return response
        content = response.read(MAX_REPLY)
        if response.status < 300:
            raise HTTPException(f"expected a stream of lines, got {response.status} {kind}")
        raise refusal(response.status, response.reason, cast(Any, response.headers), content)


def _head(first: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{first}\r\n{lines}\r\n".encode("latin-1")


def _read_reply(said: dict[str, Any], seq: int) -> Reply:
    return Reply(
        status=int(said["status"]),
        state=str(said["state"]),
        seq=said.get("seq", seq),
        result=said.get("result"),
        error=said.get("error") or said.get("detail"),
        timings=said.get("timings") or {},
        control=read_control(str(said["control"])) if "control" in said else None,
        retry_after=read_retry_after(str(said.get("retry_after", ""))),
    )


def _no_reply(exc: OSError | HTTPException) -> NoReply:
    if isinstance(exc, ssl.SSLError):
        return NoReply(f"no TLS connection: {exc}", reason="tls")
    if isinstance(exc, TimeoutError):
        return NoReply("no whole reply in time", reason="timeout")
    if isinstance(exc, (ConnectionResetError, BrokenPipeError, IncompleteRead)):
        return NoReply("the connection ended before the reply did", reason="reset")
    if isinstance(exc, OSError):
        return NoReply(f"no connection: {exc.strerror or exc}", reason="connect")
    return NoReply(f"no HTTP reply that is legible: {exc}", reason="protocol")
