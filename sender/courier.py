"""Courier: brings one frame to the receiver, and heeds what the reply says besides."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.receiver_clock import ReceiverClock
from shared import wire
from shared.control import Control
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from shared.redact import redact
from shared.retry_after import read_retry_after
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

#: The receiver's word on this one frame; the next may be welcome at once.
ABOUT_THE_FRAME = frozenset({400, 411, 413, 415, 422})
#: Fewer than five requests a second come to a receiver that refuses them, whatever it asks for.
_LEAST_REST = 0.25
#: A person has to mend the token; whether one did is tried again after so many seconds, and from
#: the third refusal on more seldom: a receiver may lock out who comes too often with a wrong one.
ABOUT_THE_TOKEN = frozenset({401, 403})
_TOKEN_RESTS = (5.0, 5.0, 30.0)


class Client(Protocol):
    """What posts: an HttpClient."""

    def post(
        self,
        target: str,
        body: bytes,
        headers: dict[str, str],
        *,
        sent: Callable[[], object] | None,
    ) -> Reply:
        """Raise NoReply when no whole reply came; call `sent` when only that is waited for."""
        ...

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Courier:
    """Posts one frame at a time to `endpoint`. For one thread, but for `interrupt`."""

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        *,
        limits: Limits,
        receiver_clock: ReceiverClock,
        trouble: Trouble,
    ) -> None:
        """`limits` hear what the receiver wishes, `receiver_clock` its times."""
        self._client = client
        self._endpoint = endpoint
        self._limits = limits
        self._receiver_clock = receiver_clock
        self._trouble = trouble
        #: Refusals of the token since a frame was taken, or nobody was there.
        self._token_refusals = 0

    def post(
        self,
        frame: EncodedFrame,
        *,
        more: Mapping[str, str] | None = None,
        told: Callable[[], object] | None = None,
    ) -> Reply:
        """Post the frame as sent now; raise NoReply.

        `more` are more headers. `told` is called when only the reply is missing, once a frame that
        is sent then can tell of the clocks.
        """
        headers, body = self._endpoint.request(frame)
        headers.update(more or {})
        sent = self._receiver_clock.stamp(headers, frame.arrived)
        # The second frame is to tell what the first one's reply says of the clocks.
        told = told if self._receiver_clock.has_heard else None
        reply = self._client.post(self._endpoint.target, body, headers, sent=told)
        self._receiver_clock.heard(reply.headers, sent)
        wish = Control.parse(reply.headers.get(wire.CONTROL))
        # Only a receiver that took the frame says by its silence that it wishes nothing.
        if wish is not None or 200 <= reply.status < 300:
            self._limits.hear(wish)
        return reply

    def tell(self, kind: str, sentence: str) -> None:
        """Say that something is wrong, unless it was said already."""
        self._trouble.happened(kind, redact(self._endpoint.hide(sentence)))

    def unanswered(self, exc: NoReply) -> None:
        """Say that there was no reply."""
        if exc.reason == "connect":  # it is started anew, perhaps with another token
            self._token_refusals = 0
        self.tell(exc.reason, f"{self._endpoint.shown} gives no answer ({exc}), trying again")

    def refused(self, reply: Reply) -> float | None:
        """Say what a refusal was; return for how many seconds to leave the receiver alone, at
        least, None where the next frame may be welcome at once.
        """
        self.tell(str(reply.status), self._endpoint.describe(reply))
        if reply.status in ABOUT_THE_FRAME:
            return None
        rest = max(_LEAST_REST, read_retry_after(reply.headers.get("Retry-After")))
        if reply.status in ABOUT_THE_TOKEN:
            self._token_refusals += 1
            rest = max(rest, _TOKEN_RESTS[min(self._token_refusals, len(_TOKEN_RESTS)) - 1])
        return rest

    def worked(self) -> None:
        """Note that a frame was taken."""
        self._token_refusals = 0
        self._trouble.worked()

    def interrupt(self) -> None:
        """Give up on a reply that is being waited for; from any thread, for good."""
        self._client.interrupt()

    def close(self) -> None:
        self._client.close()


def make_trouble(camera: str, clock: Callable[[], float] = time.monotonic) -> Trouble:
    """Return what tells of the receiver's trouble with a camera's frames."""
    return Trouble(f"camera {camera}", over="frames are taken again", logger=logger, clock=clock)
