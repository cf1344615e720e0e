"""Reception: how well one sender's packets arrive, for the reports to it (RFC 3550, appendix A)."""

from __future__ import annotations

from sender.rtsp.rtcp import ReportBlock, SenderReport
from sender.rtsp.rtp import RtpPacket

_WRAP = 1 << 16
#: A.1: a jump ahead of so many packets, or back, is another count and no loss.
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100


class Reception:
    """The statistics of one sender, from its first packet on. For one thread."""

    def __init__(self, first: RtpPacket, *, clock_rate: int) -> None:
        """Begin with `first`, which is then to be `put` as all the others."""
        self.ssrc = first.ssrc
        self._clock_rate = clock_rate
        self._begin(first.seq)
        self._transit: int | None = None
        #: In 16ths, as in A.8.
        self._jitter = 0
        self._report: tuple[int, float] | None = None

    def _begin(self, seq: int) -> None:
        self._base = seq
        self._highest = seq
        self._cycles = 0
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        #: The number that would confirm another count; none at first.
        self._suspect = -1

    def put(self, packet: RtpPacket) -> None:
        """Count one packet."""
        seq = packet.seq
        ahead = seq - self._highest & 0xFFFF
        if ahead < _MAX_DROPOUT:
            if seq < self._highest:
                self._cycles += _WRAP
            self._highest = seq
        elif ahead <= _WRAP - _MAX_MISORDER:
            # Two in a row: the sender began another count.
            if seq != self._suspect:
                self._suspect = seq + 1 & 0xFFFF
                return
            self._begin(seq)
        self._received += 1
        transit = int(packet.arrived * self._clock_rate) - packet.timestamp
        if self._transit is not None:
            # Timestamps wrap.
            change = abs((transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000)
            self._jitter += change - (self._jitter + 8 >> 4)
        self._transit = transit

    def heed(self, report: SenderReport, arrived: float) -> None:
        """Take note of the sender's own report, so that it can tell the round trip's time."""
        self._report = (report.ntp >> 16 & 0xFFFFFFFF, arrived)

    def block(self, now: float) -> ReportBlock:
        """Return what to report at `now`, monotonic seconds (A.3)."""
        highest = self._cycles + self._highest
        expected = highest - self._base + 1
        lost = expected - self._received
        new = expected - self._expected_before
        newly_lost = new - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        last_report, delay = 0, 0
        if self._report is not None:
            last_report = self._report[0]
            delay = int((now - self._report[1]) * 65536)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(255, (newly_lost << 8) // new) if newly_lost > 0 else 0,
            lost=lost,
            highest_seq=highest,
            jitter=self._jitter >> 4,
            last_report=last_report,
            delay=delay,
        )
