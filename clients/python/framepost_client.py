"""A client for Framepost: camera frames over HTTP, and what the receiver made of them.

    client = Client("http://127.0.0.1:8000", camera="door")
    reply = client.send(jpeg, wait=1.0)
    print(reply.state, reply.result)

Copy this file, and beside it framepost_live.py for the newest frame only, sent in the background,
and for results as they come; framepost_stream.py for many frames at the least cost. It needs Python
3.10 or newer and requests.

* FramepostError
  x NoReply    network trouble: nothing, or nothing legible, came back; the next frame may do better
  x Refused    the receiver said no: `status`, and `detail`, its own sentence
"""

from __future__ import annotations

import http.client
import io
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3  # which requests is built on
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import make_headers, parse_url

#: A longer reply, in bytes, is somebody else's.
MAX_REPLY = 16 << 20
MAX_RETRY_AFTER = 60.0
_TIME = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class FramepostError(Exception):
    """The root: whatever this client raises for a frame."""


class NoReply(FramepostError):
    """No whole, legible reply came; `reason` is connect, timeout, reset, tls or protocol.

    The receiver may have taken the frame all the same.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Refused(FramepostError):
    """The receiver said no. `retry_after` is how many seconds it asks for, if it does."""

    def __init__(self, status: int, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True)
class Control:
    """What the receiver can use; None where it has no wish."""

    fps: float | None = None
    #: Width and height in pixels.
    size: tuple[int, int] | None = None
    #: JPEG quality, 1 to 100.
    quality: int | None = None


@dataclass(frozen=True)
class Frame:
    """A captured picture and its number; `captured_at` is Unix seconds."""

    data: bytes = field(repr=False)
    seq: int
    captured_at: float
    content_type: str = "image/jpeg"


@dataclass(frozen=True)
class Reply:
    """What became of a frame. `state`: accepted, processed, superseded, duplicate or failed."""

    status: int
    state: str
    seq: int
    #: What the hook returned, if it was waited for.
    result: Any
    #: One sentence when the hook failed.
    error: str | None
    #: Milliseconds: queue, decode, hook, total.
    timings: dict[str, float]
    control: Control | None
    #: How many seconds the receiver asks to be left alone, if it does.
    retry_after: float | None


class Client:
    """Sends one camera's frames over one kept connection; for one thread at a time.

    No redirects, proxies or .netrc, and no second try: the next frame is the retry.
    """

    def __init__(
        self,
        url: str,
        camera: str,
        *,
        token: str | None = None,
        timeout: float = 5.0,
        connect_timeout: float = 2.0,
        idle_timeout: float = 4.0,
        verify: bool | str = True,
    ) -> None:
        """`timeout` is seconds for a whole exchange: connecting, sending, the reply's last byte.

        What `send` waits for comes on top. Only the look-up of a name is the system's own, and
        each address of a host may take the `connect_timeout`. A connection that was idle for longer
        than `idle_timeout` is not used again: the receiver might just be closing it.
        """
        if not _CAMERA.fullmatch(camera):
            raise ValueError(
                "camera: expected 1 to 64 letters, digits, '_', '.' or '-', "
                f"the first a letter or digit, got {camera!r}"
            )
        self.camera = camera
        self.timeout = timeout
        self.epoch = secrets.token_hex(8)
        self.connect_timeout = connect_timeout
        self.url = f"{base_url(url)}/cameras/{camera}"
        self._idle_timeout = idle_timeout
        self._used_at = time.monotonic()
        self._next_seq = 0
        self._last_exchange = ""
        self.verify = verify
        #: What each request says of its client.
        self.headers = {str(k): str(v) for k, v in new_session(token, verify).headers.items()}
        user, password = get_auth_from_url(self.url)
        if user and token is None:
            self.headers |= make_headers(basic_auth=f"{user}:{password}")
        self._path = parse_url(f"{self.url}/frames").request_uri
        # Not requests itself: what it does for each request takes longer than to send a picture.
        self._pool = _make_pool(self.url, verify)

    def send(
        self,
        data: bytes,
        *,
        wait: float | None = None,
        every: bool = False,
        content_type: str = "image/jpeg",
        captured_at: float | None = None,
    ) -> Reply:
        """Send one picture, captured now or at `captured_at`; raise NoReply or Refused.

        With `wait` the reply comes with the hook's result, or after so many seconds without it.
        With `every` the frame is processed even if newer ones come. Raw pixels go with a
        `content_type` such as `application/x-raw-bgr; width=1280; height=720`.
        """
        frame = self.capture(data, content_type=content_type, captured_at=captured_at)
        return self.post(frame, wait=wait, every=every)

    def capture(
        self,
        data: bytes,
        *,
        content_type: str = "image/jpeg",
        captured_at: float | None = None,
    ) -> Frame:
        """Give a picture its number; one that is never posted tells the receiver of a loss."""
        at = time.time() if captured_at is None else captured_at
        frame = Frame(data, self._next_seq, at, content_type)
        self._next_seq += 1
        return frame

    def post(
        self,
        frame: Frame,
        *,
        wait: float | None = None,
        every: bool = False,
        timeout: float | None = None,
    ) -> Reply:
        """Post a captured frame, within `timeout` seconds in all if given; see `send`."""
        headers = self.envelope(frame)
        sent = headers["X-Sent-At"]
        if wait is not None:
            headers["Prefer"] = f"wait={round(wait, 3)}"
        if timeout is None:
            timeout = self.timeout + (wait or 0.0)
        response, content = self._exchange(frame.data, headers, timeout, every=every)
        received = response.headers.get("X-Received-At", "")
        replied = response.headers.get("X-Replied-At", "")
        self.heard(sent, received, replied)
        return _read_reply(response, content)

    def envelope(self, frame: Frame) -> dict[str, str]:
        """Return the headers of a frame that is sent now."""
        headers = {
            "Content-Type": frame.content_type,
            "X-Frame-Epoch": self.epoch,
            "X-Frame-Seq": str(frame.seq),
            "X-Timestamp": f"{frame.captured_at:.6f}",
            "X-Sent-At": f"{time.time():.6f}",
        }
        if self._last_exchange:
            headers["X-Last-Exchange"] = self._last_exchange
            self._last_exchange = ""
        return headers

    def heard(self, sent: str, received: str, replied: str) -> None:
        """Note the times of an exchange that has just ended, for the next frame to tell."""
        if _TIME.fullmatch(received) and _TIME.fullmatch(replied):
            self._last_exchange = (
                f"sent={sent}; received={received}; replied={replied}; seen={time.time():.6f}"
            )

    def close(self) -> None:
        """Close the connection; a later `send` opens a new one."""
        self._pool.close()
        self._pool = _make_pool(self.url, self.verify)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(
        self, data: bytes, headers: dict[str, str], timeout: float, *, every: bool
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        now = time.monotonic()
        if now - self._used_at > self._idle_timeout:
            self.close()
        deadline.at = now + timeout
        try:
            with self._pool.urlopen(
                "POST",
                f"{self._path}?mode=every" if every else self._path,
                body=data,
                headers=self.headers | headers,
                timeout=min(self.connect_timeout, timeout),  # for connecting; see Line
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            ) as response:
                content = bytearray()
                for chunk in response.stream(1 << 16):
                    content += chunk
                    if len(content) > MAX_REPLY:
                        raise NoReply(
                            f"the reply is longer than {MAX_REPLY} bytes", reason="protocol"
                        )
                length = response.headers.get("Content-Length", "")
                if length.isdigit() and int(length) != len(content):
                    raise ConnectionError("cut off")  # which older versions do not notice
                return response, bytes(content)
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            raise _no_reply(exc, timeout) from exc
        finally:
            self._used_at = time.monotonic()


def base_url(url: str) -> str:
    """Return `url` without a slash at its end; raise ValueError for one that is none."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError(f"url: expected http://HOST:PORT, got {url!r}")
    return url.rstrip("/")


def new_session(token: str | None, verify: bool | str) -> requests.Session:
    """Return a session that heeds nothing but what it is told."""
    session = requests.Session()
    session.trust_env = False
    session.verify = verify
    session.headers.clear()
    session.headers.update({"User-Agent": "framepost-python", "Accept-Encoding": "identity"})
    if token is not None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ValueError("token: expected printable ASCII without spaces")
        session.headers["Authorization"] = f"Bearer {token}"
    return session


def refusal(status: int, reason: str, headers: Mapping[str, str], content: bytes) -> Refused:
    """Return the receiver's no with its own words: a problem's detail, else how the body begins."""
    detail = " ".join(content[:300].decode("utf-8", "replace").split()) or reason
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        detail = str(json.loads(content)["detail"])
    if 300 <= status < 400:
        detail = f"redirects to {headers.get('Location')!r}, which is not followed"
    return Refused(status, detail, read_retry_after(headers.get("Retry-After", "")))


def _read_reply(response: urllib3.BaseHTTPResponse, content: bytes) -> Reply:
    said: Any = None
    with suppress(ValueError, RecursionError):
        said = json.loads(content)
    if not isinstance(said, dict) or not isinstance(said.get("state"), str):
        if response.status >= 300:
            raise refusal(response.status, response.reason or "", response.headers, content)
        raise NoReply(
            "expected a Framepost receiver's reply, "
            f"got {response.status} {content[:80].decode('utf-8', 'replace')!r}",
            reason="protocol",
        )
    return Reply(
        status=response.status,
        state=said["state"],
        seq=said.get("seq", -1),
        result=said.get("result"),
        error=said.get("error"),
        timings=said.get("timings") or {},
        control=read_control(response.headers.get("X-Frame-Control", "")),
        retry_after=read_retry_after(response.headers.get("Retry-After", "")),
    )


def read_control(text: str) -> Control | None:
    """Read `fps=5; size=640x360; quality=70`, of which any part may be missing or unknown."""
    found = dict(re.findall(r"([a-z]+)\s*=\s*([^\s;]+)", text))
    fps = re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", found.get("fps", ""))
    size = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", found.get("size", ""))
    quality = re.fullmatch(r"[0-9]{1,3}", found.get("quality", ""))
    control = Control(
        fps=(float(fps[0]) or None) if fps else None,
        size=(int(size[1]), int(size[2])) if size else None,
        quality=int(quality[0]) if quality else None,
    )
    return None if control == Control() else control


def read_retry_after(text: str) -> float | None:
    """Return the seconds that a Retry-After asks for (seconds or a date), None where illegible."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return min(float(text), MAX_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, min(seconds, MAX_RETRY_AFTER))


def _no_reply(exc: Exception, timeout: float) -> NoReply:
    """Say in one sentence what urllib3 says in a chain of errors."""
    chain: list[BaseException] = [exc]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    cause = next((one for one in chain if isinstance(one, OSError)), chain[-1])
    errors = urllib3.exceptions
    if isinstance(exc, errors.SSLError):
        return NoReply(f"no TLS connection: {cause}", reason="tls")
    if isinstance(exc, errors.NewConnectionError):
        why = getattr(cause, "strerror", None) or cause
        return NoReply(f"no connection: {why}", reason="connect")
    if isinstance(exc, errors.ConnectTimeoutError):
        return NoReply("no connection in time", reason="timeout")
    if isinstance(cause, TimeoutError):
        return NoReply(f"no whole reply within {timeout:g} s", reason="timeout")
    if isinstance(cause, ConnectionError) or any(
        isinstance(one, http.client.IncompleteRead) for one in chain
    ):
        return NoReply("the connection ended before the reply did", reason="reset")
    return NoReply(f"no HTTP reply that is legible: {cause}", reason="protocol")


#: When the exchange that a thread is in must end, in monotonic seconds.
deadline = threading.local()


class Line:
    """Looks to http.client like a socket, but all its waits end at the same moment.

    The time-outs of urllib3 are for each wait alone: a reply that drips outlasts any of them.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: the deadline rules."""

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self.ready().send(rest) :]

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def ready(self) -> socket.socket:
        left = float(deadline.at - time.monotonic())
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._sock


class _Reader(io.RawIOBase):
    def __init__(self, line: Line, raw: socket.SocketIO) -> None:
        self._line = line
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._line.ready()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = Line(self.sock)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = Line(self.sock)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _make_pool(url: str, verify: bool | str) -> urllib3.HTTPConnectionPool:
    """Return what holds the connection to the host of `url`; `verify` as in requests."""
    scheme, _, host, port, *_ = parse_url(url)
    assert host is not None
    if scheme == "http":
        return _Pool(host, port)
    if verify is False:
        return _SecurePool(host, port, cert_reqs="CERT_NONE", assert_hostname=False)
    roots = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
    is_folder = Path(roots).is_dir()
    return _SecurePool(
        host,
        port,
        cert_reqs="CERT_REQUIRED",
        ca_certs=None if is_folder else roots,
        ca_cert_dir=roots if is_folder else None,
    )
