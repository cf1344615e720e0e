"""The statistics that receiver reports tell."""

from __future__ import annotations

from collections.abc import Iterable

from sender.rtsp.reception import Reception
from sender.rtsp.rtcp import SenderReport
from sender.rtsp.rtp import RtpPacket


def packet(seq: int, *, timestamp: int = 0, arrived: float = 0.0) -> RtpPacket:
    return RtpPacket(96, False, seq & 0xFFFF, timestamp & 0xFFFFFFFF, 7, b"", arrived)


def received(seqs: Iterable[int]) -> Reception:
    packets = [packet(seq) for seq in seqs]
    reception = Reception(packets[0], clock_rate=1000)
    for each in packets:
        reception.put(each)
    return reception


def test_nothing_is_lost() -> None:
    block = received(range(100)).block(0.0)

    assert (block.ssrc, block.lost, block.fraction_lost, block.highest_seq) == (7, 0, 0, 99)
    assert (block.last_report, block.delay) == (0, 0)


def test_losses_are_counted_in_all_and_since_the_last_report() -> None:
    reception = received([*range(50), *range(75, 100)])
    first = reception.block(0.0)
    for seq in (*range(100, 105), *range(110, 120)):
        reception.put(packet(seq))
    second = reception.block(0.0)

    assert (first.lost, first.fraction_lost) == (25, 64)
    assert (second.lost, second.fraction_lost) == (30, 5 * 256 // 20)
    assert reception.block(0.0).fraction_lost == 0


def test_all_of_an_interval_lost_but_one_is_no_overflow() -> None:
    reception = received([0])
    reception.block(0.0)
    reception.put(packet(2000))

    assert reception.block(0.0).fraction_lost == 255


def test_numbers_wrap() -> None:
    block = received(range(65_530, 65_546)).block(0.0)

    assert (block.lost, block.highest_seq) == (0, 65_536 + 9)


def test_order_is_of_no_concern_and_duplicates_make_losses_fewer() -> None:
    assert received([0, 2, 1, 3]).block(0.0).lost == 0
    assert received([0, 1, 1, 2]).block(0.0).lost == -1
    assert received([0, 1, 1, 2]).block(0.0).fraction_lost == 0


def test_a_sender_that_counts_anew_begins_anew() -> None:
    reception = received([*range(10), 30_000, 30_001, 30_002])

    assert (reception.block(0.0).lost, reception.block(0.0).highest_seq) == (0, 30_002)


def test_one_stray_packet_is_no_new_count() -> None:
    block = received([*range(5), *range(6, 10), 30_000, *range(10, 20)]).block(0.0)

    assert (block.lost, block.highest_seq) == (1, 19)


def test_jitter_is_what_the_rfc_makes_of_it() -> None:
    reception = Reception(packet(0), clock_rate=1000)
    for number in range(200):
        late = 0.016 if number % 2 else 0.0
        at = number * 0.04 + late
        reception.put(packet(number, timestamp=(1 << 32) - 100 + number * 40, arrived=at))

    assert 14 <= reception.block(0.0).jitter <= 16


def test_an_even_stream_has_no_jitter_and_timestamps_may_wrap() -> None:
    reception = Reception(packet(0), clock_rate=1000)
    for number in range(100):
        timestamp = (1 << 32) - 100 + number * 40
        reception.put(packet(number, timestamp=timestamp, arrived=10 + number * 0.04 + 1e-9))

    assert reception.block(0.0).jitter == 0


def test_the_senders_report_is_referred_to() -> None:
    reception = received([0])
    reception.heed(SenderReport(7, 0x11112222_33334444, 0), 10.0)

    block = reception.block(12.5)

    assert (block.last_report, block.delay) == (0x22223333, 163_840)
