"""Vector: exchanges of bytes with a receiver, and what each must be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: What a reply must be; its form is in README.md.
Expected = dict[str, Any]

CRLF = b"\r\n"


@dataclass(frozen=True)
class Exchange:
    """One request and its reply."""

    request: bytes
    expect: Expected
    #: Connections by name: the first exchange that names one opens it.
    connection: str = "a"
    #: Read the reply only behind the last exchange, because it comes only then.
    later: bool = False
    #: Send no more on this connection (a TCP FIN) behind the request.
    fin: bool = False


@dataclass(frozen=True)
class Vector:
    """Exchanges in their order. `receiver` names settings that it needs, such as max_cameras."""

    name: str
    about: str
    exchanges: tuple[Exchange, ...]
    receiver: dict[str, Any] = field(default_factory=dict)


def one(name: str, about: str, request: bytes, expect: Expected, *, fin: bool = False) -> Vector:
    """Return a vector of one exchange."""
    return Vector(name, about, (Exchange(request, expect, fin=fin),))


def post(
    target: str,
    body: bytes,
    *headers: str | bytes,
    content_type: str | None = "image/jpeg",
    length: str | None = "",
) -> bytes:
    """Return a POST as bytes. `length` is what Content-Length says, None for no such header."""
    lines: list[str | bytes] = [f"POST {target} HTTP/1.1", "Host: receiver.example"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    lines += headers
    if length is not None:
        lines.append(f"Content-Length: {length or len(body)}")
    head = [line.encode("ascii") if isinstance(line, str) else line for line in lines]
    return CRLF.join([*head, b"", b""]) + body


def frame(camera: str, body: bytes, *headers: str | bytes, **more: Any) -> bytes:
    """Return a POST to the route of one frame; `camera` may carry a query."""
    name, _, query = camera.partition("?")
    target = f"/cameras/{name}/frames" + (f"?{query}" if query else "")
    return post(target, body, *headers, **more)


TIME = {"matches": r"[0-9]{10}\.[0-9]{6}"}


def took(state: str, status: int = 0, *, headers: Expected | None = None, **facts: Any) -> Expected:
    """Return what a frame must be answered that was taken; `facts` are of the JSON body."""
    usual = {"accepted": 202, "failed": 500}
    return {
        "status": status or usual.get(state, 200),
        "headers": {
            "Content-Type": "application/json",
            "X-Received-At": TIME,
            "X-Replied-At": TIME,
            **(headers or {}),
        },
        "json": {"state": state, **facts},
    }


def refused(status: int, about: str = "", **headers: Any) -> Expected:
    """Return a refusal whose detail names the thing that `about` (a regular expression) matches."""
    return {
        "status": status,
        "headers": {
            "Content-Type": "application/problem+json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "json": {
            "type": {"is": "string"},
            "title": {"is": "string"},
            "status": status,
            "detail": {"matches": about} if about else {"is": "string"},
        },
    }
