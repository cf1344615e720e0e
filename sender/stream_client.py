"""StreamClient: sends many frames in one request whose reply has a line for each.

No request per frame costs both sides less. One frame is on its way at a time, and its line is
waited for: what is sent ahead would grow old in the sockets' buffers.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from email.message import Message
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Literal, cast

from shared import wire
from shared.deadline_socket import AnsweredEarly
from shared.errors import FramepostError
from shared.http_client import MAX_REPLY, HttpClient, NoReply, Reply

logger = logging.getLogger(__name__)

_BOUNDARY = "framepost"
_LINES = "application/x-ndjson"
#: Ends a part, and the chunk.
_TAIL = b"\r\n\r\n"
#: What belongs to the request and not to one of its parts.
_OF_THE_REQUEST = ("User-Agent", "Authorization")
#: Said by servers, and by proxies, that do not know such a route or such a body.
_UNKNOWN = {404, 405, 411, 415, 501}


class NoStream(FramepostError):
    """Raised when the server takes no streams that it answers line by line."""


class StreamLine(HttpClient):
    """Posts each body as a part of one endless request, and returns its line as a reply.

    Otherwise as HttpClient: a connection that the server closed before the first byte of an answer
    is opened anew at once, within the deadline.
    """

    #: How many lines came on the newest connection; None where there was none.
    lines: int | None = None
    _response: HTTPResponse | None = None

    def close(self) -> None:
        super().close()
        self._response = None

    def _exchange(self, target: str, body: bytes, headers: Mapping[str, str], end: float) -> Reply:
        """As HttpClient does; raise NoStream besides."""
        is_new = self._response is None
        if is_new:
            self.lines = None
        line, connection = self._ready(end)
        # As for a single post: a refusal may come before all is sent.
        is_sent = False
        rest: Sequence[memoryview] = ()
        try:
            if is_new:
                self.lines = 0
                connection.putrequest("POST", target, skip_accept_encoding=True)
                for name, value in _request_headers(headers).items():
                    connection.putheader(name, value)
                connection.endheaders()
            line.sendall(_head(headers, body), body, _TAIL)
            is_sent = True
        except AnsweredEarly as exc:
            rest = exc.rest
        except (BrokenPipeError, ConnectionResetError):
            pass  # what was said before, if anything, is read now
        if self._response is None:
            response = HTTPResponse(cast(Any, line), method="POST")
            response.begin()
            if line.ended:
                raise HTTPException("the head of the reply is cut off")
            if response.status != 200 or response.headers.get_content_type() != _LINES:
                return self._refusal(response)
            self._response = response
            if rest and not line.holds(response.fp):
                # It was the head alone of the reply, which comes as soon as the receiver reads.
                with suppress(BrokenPipeError, ConnectionResetError):
                    line.sendall(*rest)
                    is_sent = True
        if is_sent:
            self._tell_sent()
        content = self._response.readline(MAX_REPLY + 1)
        if not content:
            line.received = 0  # but for the mark that ends a reply
            raise ConnectionResetError("the reply ended without a line for this frame")
        if len(content) > MAX_REPLY:
            raise HTTPException(f"the line is longer than {MAX_REPLY} bytes")
        if not content.endswith(b"\n"):
            raise IncompleteRead(content)
        self.lines = (self.lines or 0) + 1
        if not is_sent:
            self.close()
        return _read(content)

    def _refusal(self, response: HTTPResponse) -> Reply:
        """Return a reply that is no stream of lines; raise NoStream if there will never be one."""
        if 200 <= response.status < 300 or response.status in _UNKNOWN:
            self.close()
            said = f"{response.status} {response.reason}"
            raise NoStream(said if response.status >= 300 else f"{said}, but not line by line")
        content = response.read(MAX_REPLY)
        self.close()
        return Reply(response.status, response.headers, content)


#: How the next frame goes: by stream; by a post, to see whether the receiver answers at all when a
#: new stream got no line; by one more stream, when it does; by posts from then on.
_Way = Literal["stream", "trial post", "trial stream", "posts"]


class StreamClient:
    """Posts by stream, and one by one where the receiver, or what is between, takes no streams.

    That a new stream got no line in time may be the receiver's, which stands still, or a proxy's,
    which keeps lines back. Streams are given up when a post was answered and one more got no line.
    They are tried again when the posts got no answer: the receiver may be another one then.
    """

    def __init__(
        self,
        stream: StreamLine,
        posts: HttpClient,
        *,
        target: str,
        shown: str,
        told: threading.Event | None = None,
    ) -> None:
        """`target` is the stream's path and query, `shown` its server for people.

        `told` is set while a warning stands that it takes no streams; a camera's clients share it.
        """
        self._stream = stream
        self._posts = posts
        self._target = target
        self._shown = shown
        self._way: _Way = "stream"
        self._told = told or threading.Event()

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        """Bring `body` to the receiver; raise NoReply. `target` is for a post by itself.

        `sent` is as HttpClient's.
        """
        if self._way in ("stream", "trial stream"):
            try:
                reply = self._stream.post(self._target, body, headers, sent=sent)
            except NoStream as exc:
                self._give_up(str(exc))
            except NoReply as exc:
                if exc.reason == "timeout" and self._stream.lines == 0:
                    self._doubt()
                raise
            else:
                self._way = "stream"
                self._told.clear()
                return reply
        try:
            reply = self._posts.post(target, body, headers, sent=sent)
        except NoReply:
            self._way = "stream"
            raise
        if self._way == "trial post":
            self._way = "trial stream"
        return reply

    def interrupt(self) -> None:
        """End a `post` that waits, and every later one, with NoReply; from any thread."""
        self._stream.interrupt()
        self._posts.interrupt()

    def close(self) -> None:
        self._stream.close()
        self._posts.close()

    def _doubt(self) -> None:
        """Take note that a stream got no line in time."""
        if self._way == "trial stream":
            self._give_up("no answer line by line; is there a proxy that keeps it back?")
        else:
            self._way = "trial post"

    def _give_up(self, why: str) -> None:
        self._way = "posts"
        if not self._told.is_set():
            self._told.set()
            logger.warning(
                "%s%s: takes no stream (%s); each frame is posted by itself",
                self._shown,
                self._target,
                why,
            )


def _request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        "Transfer-Encoding": "chunked",
        "Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        "Accept": _LINES,
    } | {name: headers[name] for name in _OF_THE_REQUEST if name in headers}


def _head(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return what comes before `body`: a part is one chunk of the request."""
    # The length first: whoever knows it can read the rest in one go.
    fields = {"Content-Length": str(len(body))} | {
        name: value for name, value in headers.items() if name not in _OF_THE_REQUEST
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"--{_BOUNDARY}\r\n{lines}\r\n".encode("latin-1")
    # With the line's end behind the body.
    return b"%x\r\n%b" % (len(head) + len(body) + 2, head)


def _read(line: bytes) -> Reply:
    """Return the reply that a single post would have got; raise HTTPException for no such line."""
    try:
        said: dict[str, Any] = json.loads(line)
        status = int(said["status"])
        headers = Message()
        kind = "problem+json" if said["state"] == "refused" else "json"
        headers["Content-Type"] = f"application/{kind}"
        headers[wire.RECEIVED_AT] = wire.format_time(said["received_at"])
        headers[wire.REPLIED_AT] = wire.format_time(said["replied_at"])
    except (ValueError, TypeError, KeyError):
        raise HTTPException(f"a line that is no answer: {line[:80]!r}") from None
    for name, key in ((wire.CONTROL, "control"), ("Retry-After", "retry_after")):
        if key in said:
            headers[name] = str(said[key])
    return Reply(status, headers, line)
