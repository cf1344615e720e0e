"""Start a program of ours without one of its defences: `python -m tests.survive.disarmed PATCH
MODULE ARGUMENTS`. A patch is a function here; MODULE is what `python -m` would run.

What starts processes of its own by `python -m` starts them whole: patch what runs in this one.
"""

from __future__ import annotations

import io
import runpy
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def set_clock() -> None:
    """Let the time of day be ahead by what the file $FRAMEPOST_CLOCK says: no defence, a fault.

    libfaketime lets time.sleep fail in a program whose monotonic clock it leaves alone.
    """
    import os
    import time
    from pathlib import Path

    file = Path(os.environ["FRAMEPOST_CLOCK"])
    true = time.time
    time.time = lambda: true() + float(file.read_text())


def set_clock_no_offset() -> None:
    """Both."""
    set_clock()
    no_offset()


def no_offset() -> None:
    """Let the receiver take every sender's clock for its own."""
    from receiver import sender_clock

    sender_clock.SenderClock.offset_of = lambda *_: 0.0  # type: ignore[method-assign]


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
        self.depth = sys.maxsize
        self._items = deque()

    def waiting(self: latest.LatestReader[object]) -> list[int]:
        return sorted(stack(self), reverse=True)

    def take(self: latest.LatestReader[object], timeout: float | None = None) -> object:
        item = get(self, timeout)
        while len(self._latest._items) > len(waiting(self)):
            self._latest._items.popleft()
        return item

    init, get = latest.Latest.__init__, latest.LatestReader.get
    stack = latest.LatestReader._waiting
    latest.Latest.__init__ = __init__  # type: ignore[method-assign, assignment]
    latest.LatestReader._waiting = waiting  # type: ignore[method-assign, assignment]
    latest.LatestReader.get = take  # type: ignore[method-assign, assignment]


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


def short_patience() -> None:
    """End connections that stand still after 4 s; armed all the same, for short runs."""
    from receiver import connections

    assert connections.Connections.__init__.__kwdefaults__ is not None
    connections.Connections.__init__.__kwdefaults__["patience"] = 4.0
    connections.PAUSE = 1.0


def few_threads() -> None:
    """Serve with 32 threads, and let whoever holds one keep it."""
    from receiver import connections, server

    server.THREADS = 32
    connections.Connections.look = lambda self: 0  # type: ignore[method-assign]


def whole_pictures() -> None:
    """Give each part of a live view to the server in one piece."""
    from shared.view import streaming

    streaming._PIECE = 1 << 40


def no_limits_of_pictures() -> None:
    """Take pictures of any size, of any number of segments, that unpack to anything."""
    from receiver import png
    from shared import jpeg

    jpeg.MAX_SEGMENTS = jpeg.MAX_PIXELS = jpeg.MAX_SIDE = 1 << 40
    png.check_pixels = lambda data: None


def no_end_of_pictures() -> None:
    """Take a JPEG that is cut off behind its head for whole."""
    from shared import jpeg
    from shared.errors import FrameError

    whole = jpeg.read_header

    def read_header(data: bytes) -> jpeg.JpegHeader:
        try:
            return whole(data)
        except FrameError as exc:
            if exc.reason != "truncated":
                raise
            return jpeg.JpegHeader(16, 16, 3, 1, len(data))

    jpeg.read_header = read_header


def kept_pixels() -> None:
    """Show the last picture where one does not decode, as decoders did that left rows as they were.

    In views; hooks run in processes of their own.
    """
    from shared import codec
    from shared.errors import FrameError

    whole = codec.decode_reduced
    last: list[codec.Image] = []

    def decode_reduced(jpeg: bytes, factor: int) -> codec.Image:
        with suppress(FrameError):
            last[:] = [whole(jpeg, factor)]
        return last[0].copy()

    codec.decode_reduced = decode_reduced


def no_digest() -> None:
    """Believe what a frame's digest says."""
    from shared import wire

    wire.check_digest = lambda envelope, body: None


def no_exact_limit() -> None:
    """Cut a body that is too long at the limit, as servers do that do not count."""
    from werkzeug.wsgi import get_content_length

    from receiver import body, ingest

    def read_bytes(environ: dict[str, Any], *, limit: int) -> bytes:
        length = get_content_length(environ) or 0
        got: bytes = environ["wsgi.input"].read(min(length, limit))
        environ["wsgi.input"] = io.BytesIO(got)
        return got

    body.read_bytes = read_bytes
    vars(ingest)["read_bytes"] = read_bytes


def no_redact() -> None:
    """Let passwords stay in what is told."""
    from shared import redact

    redact.redact = lambda text: text


def bug_with_url() -> None:
    """Have a bug that says the URL: of RTSP cameras at the start, of others in their threads."""
    from unittest.mock import Mock

    from sender import source

    def open_source(url: str, options: object) -> Any:
        bug = RuntimeError(f"a bug with {url}")
        if url.startswith("rtsp"):
            raise bug
        return Mock(**{"open.side_effect": bug, "read.side_effect": bug})

    source.open_source = open_source


def forgotten_spool() -> None:
    """Let the sender begin with an empty spool, whatever lies in it."""
    from sender.spool import recovery, spool
    from sender.spool.segment import find, remove

    def forget(folder: Path, settled: int, *, clock: Callable[[], float]) -> recovery.Left:
        end = settled
        for first, path in find(folder):
            end = max(end, first + 1_000_000)
            remove(path)
        return recovery.Left([], end, end, False)

    vars(spool)["recover"] = forget


def no_care_of_disks() -> None:
    """Let what the disk refuses end the sender's thread."""
    from sender.spool.spooler import Spooler

    def fail(self: Spooler, exc: OSError, what: str) -> None:
        raise exc

    Spooler._tell = fail  # type: ignore[method-assign]


def any_number_of_cameras() -> None:
    """Take frames of any number of cameras."""
    from receiver import hub

    hub.Hub._make_room = lambda self, *, is_elsewhere: None  # type: ignore[method-assign]


def no_drain() -> None:
    """Let the receiver end at once when it is told to, whatever it is at."""
    import os
    from multiprocessing.connection import Connection

    from receiver import server

    def live(service: server.Service, reader: Connection) -> None:
        with suppress(EOFError):
            reader.recv_bytes()
        os._exit(0)

    server._live = live


def no_teardown() -> None:
    """Let the sender hang up on cameras without a word."""
    from sender.rtsp import conversation

    def hang_up(self: conversation.Conversation, url: str, *, seconds: float) -> None:
        self._line.close()

    conversation.Conversation.hang_up = hang_up  # type: ignore[method-assign]


def long_pauses() -> None:
    """Pause for a minute before each try after the first."""
    from shared import backoff

    backoff.Backoff.next = lambda self, at_least=0.0: 60.0  # type: ignore[method-assign]


PATCHES: dict[str, Callable[[], None]] = {
    "no-deadline": no_deadline,
    "no-envelope-checks": no_envelope_checks,
    "no-offset": no_offset,
    "no-order": no_order,
    "no-rest": no_rest,
    "no-wholeness": no_wholeness,
    "queue": queue,
    "set-clock": set_clock,
    "set-clock-no-offset": set_clock_no_offset,
    "short-patience": short_patience,
    "few-threads": few_threads,
    "whole-pictures": whole_pictures,
    "no-limits-of-pictures": no_limits_of_pictures,
    "no-end-of-pictures": no_end_of_pictures,
    "kept-pixels": kept_pixels,
    "no-digest": no_digest,
    "no-exact-limit": no_exact_limit,
    "no-redact": no_redact,
    "bug-with-url": bug_with_url,
    "forgotten-spool": forgotten_spool,
    "no-care-of-disks": no_care_of_disks,
    "any-number-of-cameras": any_number_of_cameras,
    "no-drain": no_drain,
    "no-teardown": no_teardown,
    "long-pauses": long_pauses,
}


def main() -> None:
    patch, module, *arguments = sys.argv[1:]
    PATCHES[patch]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
