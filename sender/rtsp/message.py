"""RTSP messages (RFC 2326): what a server says, out of text, and what we say, as text.

* FramepostError
  x Garbled    what came is no RTSP
  x Unusual    it is RTSP, of a kind that only FFmpeg may know
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from shared.errors import FramepostError

MAX_HEAD_BYTES = 16 << 10
MAX_HEADERS = 128
#: The longest body is a description, which cameras write in a few hundred bytes.
MAX_BODY_BYTES = 64 << 10

#: What a server may ask of us (RFC 2326, 10, and RFC 7826, 13).
METHODS = (
    *("ANNOUNCE", "DESCRIBE", "GET_PARAMETER", "OPTIONS", "PAUSE", "PLAY", "PLAY_NOTIFY"),
    *("RECORD", "REDIRECT", "SETUP", "SET_PARAMETER", "TEARDOWN"),
)

_STATUS_LINE = re.compile(r"RTSP/\d\.\d +(\d{3})(?: +(.*))?", re.ASCII)
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) +(\S+) +RTSP/\d\.\d", re.ASCII)
_LINE_END = re.compile(r"\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NUMBER = re.compile(r"\d{1,10}", re.ASCII)
#: ASCII's printable signs, of which a URL may hold each; a space would end it.
_URL_SIGNS = "".join(map(chr, range(0x21, 0x7F)))


class Garbled(FramepostError):
    """Raised when what came is no RTSP; the sentence says what was expected and what came."""


class Unusual(FramepostError):
    """Raised when FFmpeg should have a try; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """What both kinds have. Names of headers are in lower case, each with its values in order."""

    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the header's first value, or an empty string."""
        return self.headers.get(name, ("",))[0]

    @property
    def cseq(self) -> int | None:
        return _number(self.header("cseq"))

    @property
    def body_length(self) -> int:
        """How many bytes of body follow the head; raise Garbled when that makes no sense."""
        said = self.header("content-length") or "0"
        length = _number(said)
        if length is None or length > MAX_BODY_BYTES:
            raise Garbled(f"expected at most {MAX_BODY_BYTES} bytes of body, got {said[:40]!r}")
        return length


@dataclass(frozen=True, slots=True)
class Reply(Message):
    """A server's answer."""

    status: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request(Message):
    """What a server asks of us."""

    method: str = ""
    url: str = ""


def read_head(head: bytes) -> Reply | Request:
    """Read a message up to its empty line, without that; raise Garbled."""
    first, *lines = _LINE_END.split(head.decode("utf-8", "replace"))
    if len(lines) > MAX_HEADERS:
        raise Garbled(f"expected at most {MAX_HEADERS} headers, got {len(lines)}")
    headers = _read_headers(lines)
    if found := _STATUS_LINE.fullmatch(first):
        reason = _CONTROL.sub(" ", found[2] or "").strip()[:80]
        return Reply(headers, status=int(found[1]), reason=reason)
    if found := _REQUEST_LINE.fullmatch(first):
        return Request(headers, method=found[1], url=found[2])
    raise Garbled(f"expected a line such as 'RTSP/1.0 200 OK', got {first[:60]!r}")


def write_request(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a request without a body."""
    return _write(f"{method} {url} RTSP/1.0", headers)


def write_reply(status: int, reason: str, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a reply without a body."""
    return _write(f"RTSP/1.0 {status} {reason}", headers)


def write_url(url: str) -> str:
    """Return `url` as a request may hold it: what is no printable ASCII is percent-encoded."""
    return quote(url, safe=_URL_SIGNS, errors="surrogateescape")


def _write(first: str, headers: Mapping[str, str]) -> bytes:
    # A line's end inside a value would begin a header of its own.
    lines = [first, *(f"{name}: {_CONTROL.sub(' ', value)}" for name, value in headers.items())]
    text = "".join(f"{line}\r\n" for line in lines)
    return text.encode("utf-8", "surrogateescape") + b"\r\n"


def _read_headers(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """Read the lines below the first; one without a colon is left out."""
    headers: dict[str, tuple[str, ...]] = {}
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += line
        else:
            unfolded.append(line)
    for line in unfolded:
        name, colon, value = line.partition(":")
        if colon:
            known = headers.get(name := name.strip().lower(), ())
            headers[name] = (*known, _CONTROL.sub(" ", value).strip())
    return headers


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
