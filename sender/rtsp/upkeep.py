"""Upkeep: what a client has to send so that a camera goes on: signs of life, and reports."""

from __future__ import annotations

import random
import secrets
import struct
import time
from collections.abc import Callable

from sender.rtsp.conversation import Conversation
from sender.rtsp.line import Line
from sender.rtsp.message import Reply
from sender.rtsp.reception import Reception
from sender.rtsp.rtcp import write_receiver_report
from sender.rtsp.transport import DEFAULT_TIMEOUT
from sender.sources.contract import SourceError

#: Seconds between receiver reports, on average (RFC 3550, 6.2).
REPORT_INTERVAL = 5.0
#: Seconds between signs of life when a server waits for longer than twice that: routers forget a
#: connection on which nothing is said.
MAX_PING_INTERVAL = 30.0


class Upkeep:
    """For one thread. Nothing in it waits: what finds no room is left out until the next time."""

    def __init__(
        self,
        talk: Conversation,
        line: Line,
        *,
        url: str,
        knows_get_parameter: bool,
        send_report: Callable[[bytes], None],
        name: str,
    ) -> None:
        """`url` is what is played; `send_report` sends RTCP to the camera."""
        #: Of whom the reports tell; None before the first packet.
        self.reception: Reception | None = None
        self._talk = talk
        self._line = line
        self._url = url
        self._ping = "GET_PARAMETER" if knows_get_parameter else "OPTIONS"
        self._send_report = send_report
        self._name = name
        self._ssrc = secrets.randbits(32)
        # RFC 7022: a name for this session only.
        self._cname = secrets.token_hex(8)
        timeout = talk.session.timeout if talk.session is not None else DEFAULT_TIMEOUT
        self._ping_interval = min(timeout / 2, MAX_PING_INTERVAL)
        now = time.monotonic()
        self._next_ping = now + self._ping_interval
        self._next_report = now + _report_pause()
        self._may_log_in = True

    @property
    def due(self) -> float:
        """Monotonic seconds: when `tend` has something to do."""
        return min(self._next_ping, self._next_report)

    def tend(self, now: float) -> None:
        """Send what is due."""
        if now >= self._next_report:
            self._next_report = now + _report_pause()
            if self._line.is_clear:
                block = self.reception.block(now) if self.reception is not None else None
                self._send_report(write_receiver_report(self._ssrc, block, cname=self._cname))
        if now >= self._next_ping:
            self._next_ping = now + self._ping_interval
            self._may_log_in = True
            if self._line.is_clear:
                self._talk.tell(self._ping, self._url)

    def heed(self, reply: Reply) -> None:
        """Take the answer to a sign of life; raise SourceError when the session is no more.

        Its number is not looked at: some cameras get that of a refusal wrong.
        """
        if reply.status == 401:
            # A nonce that was too old, usually.
            if self._may_log_in and self._talk.log_in(reply):
                self._may_log_in = False
                self._talk.tell(self._ping, self._url)
        elif reply.status == 454:
            raise SourceError(f"{self._name}: the server ended the session (454)", reason="ended")
        elif reply.status >= 400 and self._ping != "OPTIONS":
            self._ping = "OPTIONS"
            self._talk.tell(self._ping, self._url)
        elif 200 <= reply.status < 300:
            self._talk.vouch()


def interleave(channel: int, rtcp: bytes) -> bytes:
    """Return `rtcp` as it goes over an RTSP connection (RFC 2326, 10.12)."""
    return struct.pack(">cBH", b"$", channel, len(rtcp)) + rtcp


def _report_pause() -> float:
    """Return when the next report is to go, so that not all receivers send theirs at once."""
    return REPORT_INTERVAL * random.uniform(0.5, 1.5)
