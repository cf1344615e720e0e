"""Flow: the packets of a track that plays, and all that comes between them."""

from __future__ import annotations

import time

from sender.rtsp import rtcp
from sender.rtsp.conversation import Conversation
from sender.rtsp.inbox import Packet
from sender.rtsp.line import Line
from sender.rtsp.message import Garbled, Reply, Request
from sender.rtsp.ports import Ports
from sender.rtsp.reception import Reception
from sender.rtsp.rtcp import SenderClock, SenderReport
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.sdp import VideoTrack
from sender.rtsp.upkeep import Upkeep
from sender.rtsp.watch import Watch
from sender.sources.contract import SourceError
from sender.sources.events import Observe

#: So many packets of another kind, and none of the track's for so many seconds: the camera was set
#: to another codec, and a new session will say which.
_STRANGERS = 10
_STRANGE_AFTER = 1.5
#: UDP: seconds of one sender's silence after which another's packets are taken. They may be what a
#: session that ended before still sends to the same port.
SSRC_SILENCE = 0.5


class Flow:
    """For one thread. Raises Garbled, what the line raises, and SourceError with `name` in it."""

    def __init__(
        self,
        track: VideoTrack,
        line: Line,
        *,
        watch: Watch,
        talk: Conversation,
        upkeep: Upkeep,
        clock: SenderClock,
        channels: tuple[int, int],
        ports: Ports | None,
        read_timeout: float,
        name: str,
        observe: Observe | None = None,
    ) -> None:
        """`channels` are RTP's and RTCP's; with `ports` they come by UDP, else on the line."""
        if ports is not None:
            ports.begin()
        self._track = track
        self._line = line
        self._items = line.items
        self._watch = watch
        self._talk = talk
        self._upkeep = upkeep
        self._clock = clock
        self._rtp, self._rtcp = channels
        self._ports = ports
        self._read_timeout = read_timeout
        self._name = name
        self._observe = observe
        self._reception: Reception | None = None
        #: Monotonic: when the newest packet came.
        self._last = time.monotonic()
        #: Seconds spent in `receive` since.
        self._silence = 0.0
        #: Packets of other payload types since.
        self._strangers = 0

    def receive(self, until: float | None = None) -> RtpPacket | None:
        """Return the next packet; None when `until` came first. See Session."""
        before = None
        while True:
            while self._items:
                item = self._items.popleft()
                if not isinstance(item, Packet):
                    self._heed(item)
                elif item.channel == self._rtp:
                    packet = self._accept(item)
                    if packet is not None:
                        self._silence, self._strangers = 0.0, 0
                        return packet
                else:
                    self._heed_reports(item)
            now = time.monotonic()
            if before is not None:
                self._silence += now - before
                if until is not None and now >= until:
                    return None
            before = now
            if self._silence >= self._read_timeout:
                raise self._overdue()
            if self._silence >= _STRANGE_AFTER and self._strangers >= _STRANGERS:
                raise SourceError(
                    f"{self._name}: it sends something else now than what it announced",
                    reason="format",
                )
            self._upkeep.tend(now)
            limit = min(now + self._read_timeout - self._silence, self._upkeep.due)
            self._read(limit if until is None else min(limit, until))

    def _read(self, until: float) -> None:
        """Wait for something to come, and read it."""
        ready = self._watch.wait(until)
        if self._ports is not None:
            self._items.extend(self._ports.read())
        self._line.ready(ready)

    def _overdue(self) -> SourceError:
        sentence = f"{self._name}: no packet for {self._read_timeout:g} s"
        if self._ports is not None and self._reception is None:
            sentence += (
                "; does a firewall keep UDP out? The RTSP transport tcp passes where RTSP does"
            )
        return SourceError(sentence, reason="timeout")

    def _accept(self, item: Packet) -> RtpPacket | None:
        """Return the packet, counted, if it is one of the track's."""
        packet = RtpPacket.parse(item.data, item.arrived)
        if packet is None:
            return None
        if packet.payload_type != self._track.payload_type:
            self._strangers += 1
            return None
        reception = self._reception
        if reception is None or packet.ssrc != reception.ssrc:
            is_soon = packet.arrived - self._last < SSRC_SILENCE
            if reception is not None and self._ports is not None and is_soon:
                return None
            reception = Reception(packet, clock_rate=self._track.clock_rate)
            self._reception = self._upkeep.reception = reception
            if self._clock.ssrc != packet.ssrc:
                self._clock.forget()
        self._last = packet.arrived
        reception.put(packet)
        return packet

    def _heed(self, message: Reply | Request | Garbled) -> None:
        if isinstance(message, Garbled):
            raise message
        if isinstance(message, Request):
            self._talk.answer(message)
        elif message.status >= 200:
            self._upkeep.heed(message)

    def _heed_reports(self, item: Packet) -> None:
        reception = self._reception
        for report in rtcp.read(item.data):
            if isinstance(report, SenderReport):
                if self._observe is not None:
                    self._observe(report)
                if reception is None or report.ssrc == reception.ssrc:
                    self._clock.put(report)
                if reception is not None and report.ssrc == reception.ssrc:
                    reception.heed(report, item.arrived)
            elif reception is not None and reception.ssrc in report.ssrcs:
                raise SourceError(f"{self._name}: the camera said goodbye", reason="ended")
