"""Session: one client's SETUP, and what it was sent since. For the loop's thread only."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from camera.outlet import Outlet
from camera.packets import RtpFrame

#: Seconds between sender reports (RFC 3550, 6.2).
REPORT_INTERVAL = 5.0
_RTP_HEADER_BYTES = 12


class Session:
    """Pass frames on to one client, whole ones, from a key frame on.

    When the client does not read, what there is no room for is left out up to the next key frame,
    so that a decoder never meets a picture without the one that it builds on.
    """

    def __init__(self, outlet: Outlet, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = secrets.token_hex(8)
        self.playing = False
        self.sent = 0
        self.dropped = 0
        self._outlet = outlet
        self._clock = clock
        self._packets = self._octets = 0
        self._reported_at = float("-inf")
        self._needs_key = True
        self._behind = False

    def play(self) -> None:
        """Take frames from the next key frame on."""
        self.playing = True
        self._needs_key = True
        self._behind = False
        self._reported_at = float("-inf")

    def pause(self) -> None:
        self.playing = False

    def close(self) -> None:
        self.playing = False
        self._outlet.close()

    def change_outlet(self, outlet: Outlet) -> None:
        self._outlet.close()
        self._outlet = outlet

    @property
    def carrier(self) -> str:
        return self._outlet.name

    def deliver(self, frame: RtpFrame) -> bool:
        """Send `frame`; False when the client is behind and misses it."""
        if not self._outlet.has_room():
            self._needs_key = self._behind = True
        if self._needs_key and (not frame.key or not self._outlet.has_room()):
            self.dropped += self._behind
            return not self._behind
        self._needs_key = self._behind = False
        now = self._clock()
        if now - self._reported_at >= REPORT_INTERVAL:
            self._reported_at = now
            self._outlet.report(frame.report(self._packets, self._octets))
        self._outlet.send(frame)
        self.sent += 1
        self._packets += len(frame.packets)
        self._octets += sum(map(len, frame.packets)) - _RTP_HEADER_BYTES * len(frame.packets)
        return True
