"""The reorder buffer: packets in the order of their numbers."""

from __future__ import annotations

from sender.rtsp.rtp import RtpPacket

Ordered = list[tuple[RtpPacket, bool]]

#: A number that is further ahead than this is no loss but another numbering: RFC 3550, A.1.
MAX_DROPOUT = 3000
#: One that is further behind than this is no late packet. The RFC's 100 is for sound; a key frame
#: comes as hundreds of packets at once.
MAX_MISORDER = 500
_NUMBERS = 0x10000


class Order:
    """Packets in the order of their numbers; what is late beyond that is given up.

    A missing packet is waited for until `depth` packets wait behind it, or the first of them has
    waited for `patience` seconds. With `depth` 0 nothing waits: packets that came over TCP are in
    order, and only what the camera itself left out is noticed. One thread uses it.

    What is handed on are pairs: a packet, and whether packets are missing right before it.
    """

    def __init__(self, *, depth: int = 64, patience: float = 0.05) -> None:
        self._depth = depth
        self._patience = patience
        self._ssrc: int | None = None
        self._next = 0
        #: By number, in the order of arrival.
        self._waiting: dict[int, RtpPacket] = {}
        #: Out of all order: the first of another numbering, if its successor follows.
        self._stray: RtpPacket | None = None

    def put(self, packet: RtpPacket) -> Ordered:
        """Take a packet; return what is in order now. Duplicates and late packets end here."""
        if packet.ssrc != self._ssrc:
            return self._begin_anew([packet])
        ahead = (packet.seq - self._next) % _NUMBERS
        if ahead == 0 and not self._waiting:
            self._stray = None
            self._next = (packet.seq + 1) % _NUMBERS
            return [(packet, False)]
        ready: Ordered = []
        if ahead <= MAX_DROPOUT:
            self._stray = None
            self._waiting.setdefault(packet.seq, packet)
            ready += self._run()
            while len(self._waiting) > self._depth:
                ready += self._give_up()
        elif ahead < _NUMBERS - MAX_MISORDER:
            ready += self._jump(packet)
        return ready + self.overdue(packet.arrived)

    def overdue(self, now: float) -> Ordered:
        """Return what need not wait any longer at `now`, monotonic seconds."""
        ready: Ordered = []
        while (deadline := self.deadline()) is not None and deadline <= now:
            ready += self._give_up()
        return ready

    def deadline(self) -> float | None:
        """Return when `overdue` will have something, monotonic; None when nothing waits."""
        for first in self._waiting.values():
            return first.arrived + self._patience
        return None

    def _run(self) -> Ordered:
        """Take out what follows without a gap."""
        ready: Ordered = []
        while (packet := self._waiting.pop(self._next, None)) is not None:
            ready.append((packet, False))
            self._next = (self._next + 1) % _NUMBERS
        return ready

    def _give_up(self) -> Ordered:
        """Go on behind the gap; something waits there."""
        missing = min((seq - self._next) % _NUMBERS for seq in self._waiting)
        self._next = (self._next + missing) % _NUMBERS
        (first, _), *others = self._run()
        return [(first, True), *others]

    def _jump(self, packet: RtpPacket) -> Ordered:
        """Believe in another numbering when two packets in a row have it (RFC 3550, A.1)."""
        stray, self._stray = self._stray, packet
        if stray is not None and packet.seq == (stray.seq + 1) % _NUMBERS:
            return self._begin_anew([stray, packet])
        return []

    def _begin_anew(self, packets: list[RtpPacket]) -> Ordered:
        ready: Ordered = []
        while self._waiting:
            ready += self._give_up()
        began = self._ssrc is None
        self._stray = None
        self._ssrc = packets[0].ssrc
        self._next = (packets[-1].seq + 1) % _NUMBERS
        ready.append((packets[0], not began))
        return ready + [(packet, False) for packet in packets[1:]]
