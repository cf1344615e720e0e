"""Start a program of ours without one of its defences: `python -m tests.survive.disarmed PATCH
MODULE ARGUMENTS`. A patch is a function here; MODULE is what `python -m` would run.

What starts processes of its own by `python -m` starts them whole: patch what runs in this one.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from typing import Any


def no_order() -> None:
    """Let the receiver take a frame for new however often it came."""
    from receiver import order

    order.Order.knows = lambda self, frame: False  # type: ignore[method-assign]


def no_envelope_checks() -> None:
    """Let a malformed header of a frame raise what no route expects."""
    from shared import wire
    from shared.errors import FrameError

    checked = wire.from_headers

    def from_headers(headers: wire.Headers) -> wire.Envelope:
        try:
            return checked(headers)
        except FrameError as exc:
            raise ValueError(str(exc)) from None

    wire.from_headers = from_headers


def queue() -> None:
    """Let what waits be a queue without an end, the oldest first."""
    from collections import deque

    from shared import latest

    def __init__(self: latest.Latest[object], depth: int = 1) -> None:
        init(self, depth)
        self._items = deque()

    def oldest(self: latest.LatestReader[object]) -> tuple[int, object] | None:
        items = self._latest._items
        while items and items[0][0] in self._seen:
            items.popleft()
        return items[0] if items else None

    init = latest.Latest.__init__
    latest.Latest.__init__ = __init__  # type: ignore[method-assign, assignment]
    latest.LatestReader._next = oldest  # type: ignore[method-assign, assignment]


def no_deadline() -> None:
    """Let the sender wait for a connection and a reply for as long as it takes."""
    from shared import http_client

    class Patient(http_client.HttpClient):
        def __init__(self, host: str, port: int, **settings: Any) -> None:
            super().__init__(host, port, **(settings | {"deadline": 3600.0}))

    http_client.HttpClient = Patient  # type: ignore[misc]


def no_rest() -> None:
    """Let the sender try again at once, whatever the receiver said."""
    from sender import turn

    turn.Turn.rest = lambda self, at_least=0.0: None  # type: ignore[method-assign]


def no_wholeness() -> None:
    """Let the receiver take a body for a picture though a part of it is missing."""
    from receiver import body, formats
    from shared.errors import FrameError

    inspect = formats.inspect

    def read_bytes(environ: dict[str, Any], *, limit: int) -> bytes:
        data: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        return data

    def trusting(data: bytes, **settings: Any) -> formats.Picture:
        try:
            return inspect(data, **settings)
        except FrameError:
            return formats.Picture(data, "image/jpeg", 64, 64)

    body.read_bytes = read_bytes
    formats.inspect = trusting


PATCHES: dict[str, Callable[[], None]] = {
    "no-deadline": no_deadline,
    "no-envelope-checks": no_envelope_checks,
    "no-order": no_order,
    "no-rest": no_rest,
    "no-wholeness": no_wholeness,
    "queue": queue,
}


def main() -> None:
    patch, module, *arguments = sys.argv[1:]
    PATCHES[patch]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
