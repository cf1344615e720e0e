"""Live: the newest frame only, sent in the background; and results as they come.

    with LatestFrameSender(Client(url, "door"), on_reply=print) as sender:
        while True:
            sender.offer(camera.read())

Copy this file beside framepost_client.py.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import requests
from framepost_client import (
    Client,
    Control,
    Frame,
    FramepostError,
    Refused,
    Reply,
    base_url,
    new_session,
    refusal,
)

#: Statuses that speak of one frame alone: the next may go at once.
_ABOUT_THE_FRAME = {400, 411, 413, 415, 422}


@dataclass(frozen=True)
class Counts:
    """Of one moment: captured = posted + superseded + refused + failed + waiting."""

    captured: int = 0
    #: The receiver took them; what its hook made of them is in the replies.
    posted: int = 0
    #: Replaced by a newer one before they were sent.
    superseded: int = 0
    refused: int = 0
    #: No reply came, or `close` came first.
    failed: int = 0
    #: One to be sent, one in flight.
    waiting: int = 0
    #: Left out because the receiver wished fewer; not captured, and so without a number.
    thinned: int = 0


class Backoff:
    """Pauses that double from 0.1 s to 1 s; half of each is jitter."""

    def __init__(self) -> None:
        self._whole = 0.0

    def next(self) -> float:
        self._whole = min(1.0, self._whole * 2 or 0.1)
        return self._whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        self._whole = 0.0


class LatestFrameSender:
    """Sends the newest frame from a thread of its own; one that waits gives way to a newer one.

    Nothing is sent twice. After trouble it pauses (see Backoff), or as long as the receiver asks,
    and goes on with what is newest then.
    """

    def __init__(
        self,
        client: Client,
        *,
        wait: float | None = None,
        on_reply: Callable[[Frame, Reply], object] | None = None,
        on_trouble: Callable[[Frame, FramepostError], object] | None = None,
        obey: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """From here on the `client` is this sender's; the callbacks run on its thread.

        With `obey` frames are left out when the receiver wishes fewer a second. Its wishes for size
        and quality are yours to follow: see `control`.
        """
        #: What the newest reply wished.
        self.control: Control | None = None
        self._client = client
        self._wait = wait
        self._on_reply = on_reply
        self._on_trouble = on_trouble
        self._obey = obey
        self._clock = clock
        self._backoff = Backoff()
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._counts = Counts()
        self._due = 0.0
        self._closed_at: float | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"frames of {client.camera}", daemon=True
        )
        self._thread.start()

    def offer(
        self, data: bytes, *, content_type: str = "image/jpeg", captured_at: float | None = None
    ) -> None:
        """Make this the frame to be sent next. Never blocks; raise ValueError once closed."""
        with self._changed:
            if self._closed_at is not None:
                raise ValueError("the sender is closed")
            if not self._is_due():
                self._count(thinned=1)
                return
            self._count(captured=1, waiting=1)
            self._drop(superseded=1)
            self._newest = self._client.capture(
                data, content_type=content_type, captured_at=captured_at
            )
            self._changed.notify_all()

    @property
    def counts(self) -> Counts:
        return self._counts

    def close(self) -> None:
        """Send what waits, unless there is trouble, and end, all within the client's timeout."""
        self._shut()
        if threading.current_thread() is not self._thread:
            self._thread.join()
            self._client.close()

    def __enter__(self) -> LatestFrameSender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_due(self) -> bool:
        fps = self.control.fps if self._obey and self.control else None
        if fps is None:
            return True
        now = self._clock()
        if now < self._due:
            return False
        # From one due time to the next, so that the rate does not sag; but from now after a gap.
        self._due = (self._due if now - self._due < 1 / fps else now) + 1 / fps
        return True

    def _run(self) -> None:
        try:
            while (frame := self._take()) is not None:
                self._post(frame)
        finally:
            self._shut()  # after a bug in a callback too, so that `offer` says so
            with self._changed:
                self._drop(failed=1)

    def _take(self) -> Frame | None:
        """Return the next frame to send, None to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._closed_at is not None)
            if self._seconds() <= 0:
                return None
            frame, self._newest = self._newest, None
            return frame

    def _post(self, frame: Frame) -> None:
        try:
            reply = self._client.post(frame, wait=self._wait, timeout=self._seconds())
        except FramepostError as exc:
            refused = isinstance(exc, Refused)
            self._count(waiting=-1, refused=int(refused), failed=int(not refused))
            if self._on_trouble is not None:
                self._on_trouble(frame, exc)
            self._recover(exc)
        else:
            self._count(waiting=-1, posted=1)
            self.control = reply.control
            self._backoff.reset()
            if self._on_reply is not None:
                self._on_reply(frame, reply)
            if reply.retry_after:
                self._pause(reply.retry_after)

    def _seconds(self) -> float:
        """Return the seconds for an exchange: once `close` was called, what is left of them."""
        whole = self._client.timeout + (self._wait or 0.0)
        return whole if self._closed_at is None else whole - (self._clock() - self._closed_at)

    def _recover(self, exc: FramepostError) -> None:
        asked = 0.0
        if isinstance(exc, Refused):
            if exc.status in _ABOUT_THE_FRAME:
                return
            asked = exc.retry_after or 0.0
        self._pause(max(asked, self._backoff.next()))

    def _pause(self, seconds: float) -> None:
        with self._changed:
            if self._changed.wait_for(lambda: self._closed_at is not None, seconds):
                self._drop(failed=1)

    def _drop(self, **reason: int) -> None:
        if self._newest is not None:
            self._newest = None
            self._count(waiting=-1, **reason)

    def _shut(self) -> None:
        with self._changed:
            if self._closed_at is None:
                self._closed_at = self._clock()
            self._changed.notify_all()

    def _count(self, **more: int) -> None:
        with self._changed:
            counts = self._counts
            self._counts = replace(
                counts, **{name: getattr(counts, name) + n for name, n in more.items()}
            )


@dataclass(frozen=True)
class Event:
    """One event; a result's `data` has camera, epoch, seq, captured_at, state, result, error."""

    id: str
    kind: str
    data: Any


def events(
    url: str,
    *,
    camera: str | None = None,
    token: str | None = None,
    verify: bool | str = True,
    last_event_id: str = "",
    silence: float = 30.0,
) -> Generator[Event]:
    """Yield results as they come, of one camera or of all, for ever.

    A line that breaks, or says nothing for `silence` seconds, is opened anew and goes on behind the
    event that came last. Raise Refused when the receiver has none to give. The generator's close()
    ends it.
    """
    address = f"{base_url(url)}/events"
    backoff = Backoff()
    with new_session(token, verify) as session:
        while True:
            headers = {"Accept": "text/event-stream"}
            if last_event_id:
                headers["Last-Event-ID"] = last_event_id
            try:
                with session.get(
                    address,
                    params={"camera": camera} if camera else None,
                    headers=headers,
                    timeout=(5.0, silence),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.status_code != 200:
                        raise refusal(
                            response.status_code,
                            response.reason,
                            response.headers,
                            response.content,
                        )
                    for event in _read_events(response):
                        backoff.reset()
                        last_event_id = event.id or last_event_id
                        if event.data is not None:
                            yield event
            except requests.RequestException:
                pass
            except Refused as exc:
                if exc.status not in (429, 502, 503, 504):
                    raise
                time.sleep(exc.retry_after or 0.0)
            time.sleep(backoff.next())


def _read_events(response: requests.Response) -> Iterator[Event]:
    """Parse Server-Sent Events (the HTML standard, section 9.2.6).

    One without data tells only how far the reader has come.
    """
    is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "")
    # None gives each chunk as it comes; without chunks it would wait for the end.
    lines = _lines(response.iter_content(None if is_chunked else 1))
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.decode("utf-8", "replace").partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields['data']}\n{value}" if name == "data" in fields else value
            continue
        if "data" in fields or "id" in fields:
            data: Any = fields.get("data")
            with suppress(ValueError, TypeError):
                data = json.loads(data)
            yield Event(fields.get("id", ""), fields.get("event", "message"), data)
        fields = {}


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        # A CR at the very end may yet be followed by its LF.
        *whole, rest = re.split(rb"\r\n|\n|\r(?=[^\n])", rest + chunk)
        yield from whole
