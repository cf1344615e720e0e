"""Poster: sends one camera's newest frame, then the next newest, on a thread of its own."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Protocol

from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.http_client import NoReply, Reply
from sender.reader import CapturedFrame
from sender.redact import redact
from sender.trouble import Trouble
from shared.backoff import Backoff
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.latest import Closed, LatestReader
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: A receiver that comes back is found again within this time.
_CEILING = 1.0
_MAX_RETRY_AFTER = 60.0
#: The receiver's word on this one frame; the next may be welcome at once.
_ABOUT_THE_FRAME = {400, 413, 415, 422}
#: Said by servers that are away, starting, full: the same frame may be welcome later.
_LATER = {408, 429, 502, 503, 504}


class Client(Protocol):
    """What posts: an HttpClient."""

    def post(self, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        """Raise NoReply when no whole reply came."""
        ...

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Stopwatch(Protocol):
    """Who is told what each frame cost, in seconds, such as the metrics; must not block."""

    def encoded(self, camera: str, seconds: float) -> None: ...
    def posted(self, camera: str, seconds: float) -> None: ...


class Poster(Worker):
    """Take the newest frame, make it a JPEG only then, post it, enter it in the books.

    A frame that the receiver did not take is never sent again, for a newer one is the retry. Only
    when frames are to be delivered `whole`, as those of a file, is a frame tried until the receiver
    answers; then it is entered once, with its last outcome.
    """

    def __init__(
        self,
        camera: str,
        frames: LatestReader[CapturedFrame],
        client: Client,
        *,
        endpoint: Endpoint,
        ledger: Ledger,
        quality: int = 80,
        size: tuple[int, int] | None = None,
        whole: bool = False,
        stopwatch: Stopwatch | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"poster of {camera}")
        self._camera = camera
        self._frames = frames
        self._client = client
        self._endpoint = endpoint
        self._ledger = ledger
        self._quality = quality
        self._size = size
        self._whole = whole
        self._stopwatch = stopwatch
        self._backoff = backoff or Backoff(0.1, _CEILING)
        self._clock = clock
        self._trouble = Trouble(
            f"camera {camera}", over="frames are taken again", logger=logger, clock=clock
        )
        #: A frame that is to be tried again.
        self._kept: EncodedFrame | None = None
        #: The last trouble in one sentence, redacted; stays after it is over.
        self.last_trouble: str | None = None

    def step(self) -> None:
        """Send one frame, or wait up to a second for one; pause after trouble."""
        frame = self._kept
        if frame is None:
            try:
                captured = self._frames.get(timeout=1.0)
            except Closed:
                self.finish()
                return
            frame = None if captured is None else self._encode(captured)
        if frame is not None:
            self._post(frame)

    def close(self) -> None:
        if self._kept is not None:
            self._ledger.fail("stopped")
            self._kept = None
        self._client.close()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._client.interrupt()

    def _encode(self, captured: CapturedFrame) -> EncodedFrame | None:
        picture = captured.picture
        started = self._clock()
        try:
            data = picture.to_jpeg(self._quality, self._size)
        except FrameError as exc:
            self._ledger.fail("encode")
            self._tell("encode", f"a frame cannot be made a JPEG ({exc})")
            return None
        if self._stopwatch is not None:
            self._stopwatch.encoded(self._camera, self._clock() - started)
        width, height = self._size or (picture.width, picture.height)
        return EncodedFrame(
            camera=captured.camera,
            epoch=captured.epoch,
            seq=captured.seq,
            captured_at=captured.captured_at,
            data=data,
            width=width,
            height=height,
        )

    def _post(self, frame: EncodedFrame) -> None:
        headers, body = self._endpoint.request(frame)
        started = self._clock()
        try:
            reply = self._client.post(self._endpoint.target, body, headers)
        except NoReply as exc:
            self._unanswered(frame, exc)
            return
        if 200 <= reply.status < 300:
            self._kept = None
            self._ledger.post(time.time() - frame.captured_at)
            if self._stopwatch is not None:
                self._stopwatch.posted(self._camera, self._clock() - started)
            self._backoff.reset()
            self._trouble.worked()
        else:
            self._refused(frame, reply)

    def _unanswered(self, frame: EncodedFrame, exc: NoReply) -> None:
        if self._whole and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.fail(exc.reason)
        if exc.reason != "stopped":
            self._tell(exc.reason, f"{self._endpoint.shown} gives no answer ({exc}), trying again")
            self.pause(self._backoff.next())

    def _refused(self, frame: EncodedFrame, reply: Reply) -> None:
        if self._whole and reply.status in _LATER and not self.stopping:
            self._kept = frame
        else:
            self._kept = None
            self._ledger.refuse(reply.status)
        self._tell(str(reply.status), f"{self._endpoint.shown} {_describe(reply)}")
        if reply.status not in _ABOUT_THE_FRAME:
            asked = read_retry_after(reply.headers.get("Retry-After"))
            self.pause(max(asked, self._backoff.next()))

    def _tell(self, kind: str, sentence: str) -> None:
        self.last_trouble = redact(sentence)
        self._trouble.happened(kind, self.last_trouble)


def read_retry_after(value: str | None) -> float:
    """Return the seconds that a Retry-After asks for, 0 to 60; 0 where it says nothing legible.

    RFC 9110, section 10.2.3: seconds, or a date.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(_MAX_RETRY_AFTER, float(text[:9]))
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, min(_MAX_RETRY_AFTER, seconds))


def _describe(reply: Reply) -> str:
    """Say what a refusal was, with the receiver's own first words."""
    if 300 <= reply.status < 400:
        where = reply.headers.get("Location", "nowhere")[:200]
        return f"redirects to {where!r} ({reply.status}); name that URL in --to if it is meant"
    return f"refuses frames ({reply.status}): {_words(reply)!r}"


def _words(reply: Reply) -> str:
    """Return the reply's sentence: a problem's detail (RFC 9457), else how the body begins."""
    text = reply.body.decode("utf-8", "replace")
    if reply.headers.get_content_type() == "application/problem+json":
        with suppress(ValueError, TypeError, KeyError):
            text = str(json.loads(text)["detail"])
    return " ".join(text[:200].split())
