"""Findings: what was met while a source was opened and read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sender.rtsp.reception import Reception
from sender.rtsp.rtcp import SenderClock, SenderReport
from sender.rtsp.rtp import RtpPacket
from sender.sources.contract import Shot
from sender.sources.events import Answered, Connected, Event, Offered, TakenOver, Unit


@dataclass(slots=True)
class Findings:
    """Is told of events and shots, and keeps what a report is made of.

    All moments are monotonic seconds. The helper thread that connects and the one that reads write,
    never both at once.
    """

    #: When the source was opened.
    began: float
    unix: Callable[[], float] = time.time
    connected: float | None = None
    answers: list[Answered] = field(default_factory=list)
    offered: Offered | None = None
    #: Why FFmpeg reads it, where it had to take over.
    taken_over: str | None = None
    first_packet: float | None = None
    #: Of encoded pictures: what came, and where the key pictures are among them.
    sizes: list[int] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    #: Of decoded pictures: when each came out of the source, and when it had come in.
    first_picture: float | None = None
    captured: list[float] = field(default_factory=list)
    size: tuple[int, int] | None = None
    pictures: int = 0
    #: Whole ones; those damaged after the first whole one; those before it, for a viewer who comes
    #: in the middle sees nothing whole until a key picture.
    whole: int = 0
    damaged: int = 0
    leading: int = 0
    undecoded: int = 0
    #: Seconds from the camera's own time of a picture to its arrival; None without a clock.
    clock_lag: float | None = None
    #: Whether the camera said at all what time it has.
    reported: bool = False
    _reception: Reception | None = None
    _packets: int = 0
    _clock: SenderClock | None = None

    def observe(self, event: Event) -> None:
        """See Observe."""
        match event:
            case RtpPacket():
                self._put_packet(event)
            case Unit():
                self._put_unit(event)
            case SenderReport():
                self.reported = True
                if self._clock is not None:
                    self._clock.put(event)
            case Connected():
                self.connected = time.monotonic()
            case Answered():
                self.answers.append(event)
            case Offered():
                self.offered = event
                self._clock = SenderClock(event.clock_rate) if event.clock_rate else None
            case TakenOver():
                self.taken_over = event.why
                # What the other reader met does not count.
                self.sizes, self.arrivals, self.keys = [], [], []
                self._reception, self._clock = None, None

    def put(self, shot: Shot) -> None:
        """Count a picture."""
        now = time.monotonic()
        if self.first_picture is None:
            self.first_picture = now
        self.captured.append(shot.captured)
        self.pictures += 1
        self.whole += not shot.corrupt
        self.damaged += shot.corrupt and self.whole > 0
        self.leading += shot.corrupt and self.whole == 0
        self.undecoded += shot.lost
        self.size = (shot.picture.width, shot.picture.height)
        if self.offered is not None and self.offered.reader == "http":
            # The camera's own JPEG, as it came.
            self._put_unit(Unit(len(shot.picture.to_jpeg(80)), True, shot.captured))

    @property
    def packets(self) -> int | None:
        """RTP packets that came; None where FFmpeg or something else reads."""
        return self._packets if self._reception is not None else None

    @property
    def packets_lost(self) -> int | None:
        if self._reception is None:
            return None
        return max(0, self._reception.block(time.monotonic()).lost)

    @property
    def server(self) -> str:
        return next((answer.server for answer in self.answers if answer.server), "")

    def _put_packet(self, packet: RtpPacket) -> None:
        if self.first_packet is None:
            self.first_packet = packet.arrived
        if self._reception is None or self._reception.ssrc != packet.ssrc:
            rate = (self.offered.clock_rate if self.offered else None) or 90_000
            self._reception = Reception(packet, clock_rate=rate)
        self._packets += 1
        self._reception.put(packet)

    def _put_unit(self, unit: Unit) -> None:
        if self.first_packet is None:
            self.first_packet = unit.arrived
        if unit.is_key:
            self.keys.append(len(self.sizes))
        self.sizes.append(unit.size)
        self.arrivals.append(unit.arrived)
        if self._clock is not None and unit.timestamp is not None:
            taken = self._clock.unix(unit.timestamp)
            if taken is not None:
                self.clock_lag = self.unix() - taken - (time.monotonic() - unit.arrived)
