"""RTSP messages (RFC 2326): requests out of a byte stream, and the answers to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from shared.errors import FramepostError

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024

_REASONS = {
    451: "Parameter Not Understood",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    505: "RTSP Version Not Supported",
    551: "Option not supported",
}
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) (\S+) ([A-Z]{1,8}/\S{1,8})", re.ASCII)
_CSEQ_FORM = re.compile(r"[0-9]{1,10}", re.ASCII)


class Refusal(FramepostError):
    """Raised to answer a request with an error `status` instead of doing what it asks."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {reason(status)}")
        self.status = status
        self.headers = dict(headers or {})


class Garbage(FramepostError):
    """Raised when what came is no RTSP at all, so that where the next message starts is lost."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in lower case; `cseq` is None where none was legible."""

    method: str
    url: str
    version: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def cseq(self) -> str | None:
        value = self.headers.get("cseq", "")
        return value if _CSEQ_FORM.fullmatch(value) else None


class Inbox:
    """Cut a client's byte stream into requests; media and reports between them are skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Request]:
        """Yield each request that `data` completes; raise Garbage when it can be none."""
        self._buffer += data
        while self._buffer:
            if self._buffer[0] == 0x24:  # '$': an interleaved packet, here a receiver's report
                if len(self._buffer) < 4:
                    return
                end = 4 + int.from_bytes(self._buffer[2:4])
                if len(self._buffer) < end:
                    return
                del self._buffer[:end]
            elif self._buffer[0] in b"\r\n":
                del self._buffer[:1]
            else:
                request = self._cut_request()
                if request is None:
                    return
                yield request

    def _cut_request(self) -> Request | None:
        found = _HEAD_END.search(self._buffer, 0, MAX_HEAD_BYTES)
        if found is None:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise Garbage(f"expected at most {MAX_HEAD_BYTES} bytes of headers")
            return None
        request = _parse_head(bytes(self._buffer[: found.start()]))
        length = request.headers.get("content-length", "0")
        if not _CSEQ_FORM.fullmatch(length) or int(length) > MAX_BODY_BYTES:
            raise Garbage(f"expected at most {MAX_BODY_BYTES} bytes of body, got {length!r:.80}")
        end = found.end() + int(length)
        if len(self._buffer) < end:
            return None
        del self._buffer[:end]
        return request


def answer(
    status: int, cseq: str | None, headers: Mapping[str, str] | None = None, body: str = ""
) -> bytes:
    """Return the bytes of a response. A header may hold several values, one to a line."""
    lines = [f"RTSP/1.0 {status} {reason(status)}"]
    if cseq is not None:
        lines.append(f"CSeq: {cseq}")
    lines.append("Server: Framepost-Camera")
    for name, values in (headers or {}).items():
        lines += [f"{name}: {value}" for value in values.split("\n")]
    content = body.encode()
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def reason(status: int) -> str:
    """Return the words that RFC 2326 puts after `status`."""
    return _REASONS.get(status) or HTTPStatus(status).phrase


def _parse_head(head: bytes) -> Request:
    lines = head.decode("utf-8", "replace").splitlines()
    found = _REQUEST_LINE.fullmatch(lines[0])
    if found is None:
        raise Garbage(f"expected 'METHOD url RTSP/1.0', got {lines[0]!r:.80}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise Garbage(f"expected 'Name: value', got {line!r:.80}")
        headers.setdefault(name.strip().lower(), value.strip())
    return Request(found[1], found[2], found[3], headers)
