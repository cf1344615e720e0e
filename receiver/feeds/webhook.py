"""Webhook: posts every result to one URL, in order, on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from receiver.feeds.backlog import Backlog
from receiver.feeds.journal import Entry
from shared.backoff import Backoff
from shared.http_client import NoReply, Reply
from shared.redact import redact
from shared.retry_after import read_retry_after
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: How often, and for how many seconds, one result is tried: a server's restart is survived, and the
#: longest pause that a server may ask for.
_TRIES = 12
_PATIENCE = 120.0
#: What is left is sent within so many seconds of a stop.
_GRACE = 1.0
#: Said by servers that are away, starting, full; so is every 5xx.
_LATER = {408, 425, 429}
#: About this one result; the next may be welcome at once.
_ABOUT_THE_RESULT = {400, 409, 413, 415, 422}

State = Literal["ok", "retrying", "refused"]
#: overflow: too many waited · undelivered: tried in vain · refused, redirect: the server said so ·
#: forbidden: its address is not allowed · stopped: the receiver ended first.
Reason = Literal["overflow", "undelivered", "refused", "redirect", "forbidden", "stopped"]


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """Results since the start = sent + all dropped + waiting, at every moment."""

    webhook: str
    state: State
    sent: int
    dropped: Mapping[str, int]
    waiting: int
    last_error: str | None


class Client(Protocol):
    """What posts: an HttpClient."""

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raise NoReply when no whole reply came."""
        ...

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Webhook(Worker):
    """Take the oldest result that waits and post it until the server takes it.

    A server that is away or busy (408, 425, 429, 5xx) is tried again, in growing pauses, and the
    rest waits meanwhile. What it refuses otherwise is dropped at once; so is what was tried too
    often or for too long. Redirects are not followed.
    """

    def __init__(
        self,
        name: str,
        backlog: Backlog,
        client: Client,
        *,
        target: str,
        headers: Mapping[str, str],
        name_of: Callable[[int], str] = str,
        tries: int = _TRIES,
        patience: float = _PATIENCE,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` and nothing else of the URL is shown to people; `name_of` makes an entry's id."""
        super().__init__(f"webhook {name}")
        self._name = name
        self._backlog = backlog
        self._client = client
        self._target = target
        self._headers = headers
        self._name_of = name_of
        self._tries = tries
        self._patience = patience
        self._backoff = backoff or Backoff(0.25, 10.0)
        self._clock = clock
        self._trouble = Trouble(
            f"webhook {name}", over="results are taken again", logger=logger, clock=clock
        )
        self._lock = threading.Lock()
        self._sent = 0
        self._dropped: Counter[Reason] = Counter()
        self._state: State = "ok"
        self._last_error: str | None = None
        #: The result at hand, how often it was tried, and until when it is.
        self._entry: Entry | None = None
        self._tried = 0
        self._until = 0.0
        #: Not to be bothered before.
        self._due = 0.0
        self._end = float("inf")

    def step(self) -> None:
        """Post one result, or wait up to a second for one, or out a pause."""
        left = self._due - self._clock()
        if left > 0:
            self.pause(min(left, 1.0))
        elif self._next(1.0) is not None:
            self._try()

    def close(self) -> None:
        """Send what can be sent before the grace ends, each once; the rest is lost."""
        while self._clock() < self._end and self._next(0.0) is not None:
            self._try()
            if self._entry is not None or self._due > self._clock():
                break
        with self._lock:
            left = self._backlog.abandon() + (self._entry is not None)
            self._dropped["stopped"] += left
            self._entry = None
        if left:
            logger.info("webhook %s: ends with %d results unsent", self._name, left)
        self._client.close()

    def wake(self) -> None:
        self._end = self._clock() + _GRACE
        self._backlog.wake()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._client.interrupt()

    def status(self) -> WebhookStatus:
        with self._lock:
            came, overflow = self._backlog.counts()
            dropped = {**self._dropped, "overflow": overflow}
            return WebhookStatus(
                webhook=self._name,
                state=self._state,
                sent=self._sent,
                dropped={reason: count for reason, count in sorted(dropped.items()) if count},
                waiting=came - self._sent - sum(dropped.values()),
                last_error=self._last_error,
            )

    def _next(self, timeout: float) -> Entry | None:
        if self._entry is None:
            self._entry = self._backlog.take(timeout)
            self._tried = 0
            self._until = self._clock() + self._patience
        return self._entry

    def _try(self) -> None:
        """Post the result at hand once."""
        entry = self._entry
        assert entry is not None
        self._tried += 1
        key = {"Idempotency-Key": self._name_of(entry.number)}
        try:
            reply = self._client.post(self._target, entry.data, {**self._headers, **key})
        except NoReply as exc:
            if exc.reason == "forbidden":
                self._drop("forbidden", f"is not posted to: {exc}; see RECEIVER_WEBHOOK_ALLOW")
            elif exc.reason != "stopped":
                self._retry(exc.reason, f"gives no answer ({exc})", 0.0)
            return
        if 200 <= reply.status < 300:
            self._taken()
        elif reply.status in _LATER or reply.status >= 500:
            asked = read_retry_after(reply.headers.get("Retry-After"))
            self._retry(str(reply.status), f"answers {reply.status}: {reply.words!r}", asked)
        elif 300 <= reply.status < 400:
            where = redact(reply.headers.get("Location", "nowhere")[:200])
            self._drop(
                "redirect",
                f"redirects to {where!r} ({reply.status}), which is not followed; name that URL "
                "in RECEIVER_RESULT_WEBHOOK if it is meant",
            )
        else:
            is_about_all = reply.status not in _ABOUT_THE_RESULT
            self._drop(
                "refused",
                f"refuses results ({reply.status}): {reply.words!r}",
                kind=str(reply.status),
                pause=is_about_all,
            )

    def _taken(self) -> None:
        with self._lock:
            self._entry = None
            self._sent += 1
            self._state = "ok"
        self._due = 0.0
        self._backoff.reset()
        self._trouble.worked()

    def _retry(self, kind: str, sentence: str, asked: float) -> None:
        pause = self._backoff.next(asked)
        self._due = self._clock() + pause
        with self._lock:
            self._state = "retrying"
            if self._tried >= self._tries or self._due >= self._until:
                self._entry = None
                self._dropped["undelivered"] += 1
        self._tell(kind, f"{sentence}, trying again")

    def _drop(
        self, reason: Reason, sentence: str, *, kind: str | None = None, pause: bool = True
    ) -> None:
        # Without a pause a wrong URL would get a request for every result, for nothing.
        if pause:
            self._due = self._clock() + self._backoff.next()
        with self._lock:
            self._state = "refused"
            self._entry = None
            self._dropped[reason] += 1
        self._tell(kind or reason, sentence)

    def _tell(self, kind: str, sentence: str) -> None:
        self._last_error = redact(sentence)
        self._trouble.happened(kind, self._last_error)
