"""What findings come to: clocks, damage, key pictures."""

from __future__ import annotations

import time

import pytest

from sender.check.advice import advise
from sender.check.findings import Findings
from sender.check.report import Report
from sender.rtsp.rtcp import SenderReport
from sender.rtsp.rtp import RtpPacket
from sender.sources.contract import Shot
from sender.sources.events import Offered, TakenOver, Unit
from tests.sender.doubles import shot

NTP_OFFSET = 2_208_988_800


def findings() -> Findings:
    found = Findings(time.monotonic())
    found.observe(Offered("direct", "H264", fps=25.0, clock_rate=90_000))
    return found


def report(found: Findings) -> Report:
    return Report.of(found, transport="tcp")


def put_time(found: Findings, unix: float) -> None:
    """Let the camera say that it is `unix`, and send a picture that it took right then."""
    found.observe(SenderReport(7, int((unix + NTP_OFFSET) * 2**32), 0))
    found.observe(Unit(100, True, time.monotonic(), 0))


def hints(found: Findings) -> str:
    return " ".join(advise(report(found), watched=5.0))


@pytest.mark.parametrize("wrong", [-3600.0, 3600.0])
def test_a_clock_that_is_wrong_is_not_set(wrong: float) -> None:
    found = findings()
    put_time(found, time.time() + wrong)

    made = report(found)
    assert made.clock == "not set"
    assert made.clock_behind == pytest.approx(-wrong, abs=1)
    assert "set NTP in the camera" in hints(found)


def test_a_clock_that_counts_from_the_start_is_not_set() -> None:
    found = findings()
    put_time(found, 60 - NTP_OFFSET)

    made = report(found)
    assert (made.clock, made.clock_behind) == ("not set", None)


def test_a_clock_that_says_nothing_is_unknown_and_no_fault() -> None:
    found = findings()
    found.observe(Unit(100, True, time.monotonic(), 0))

    assert report(found).clock == "unknown"
    assert hints(found) == ""


def test_a_clock_that_is_right_is_set() -> None:
    found = findings()
    put_time(found, time.time() - 0.05)

    made = report(found)
    assert made.clock == "set"
    assert made.clock_behind == pytest.approx(0.05, abs=0.5)


def test_pictures_before_the_first_whole_one_are_no_damage() -> None:
    found = findings()
    for corrupt in (True, True, False, True, False):
        found.put(shot(corrupt=corrupt))

    assert report(found).pictures_damaged == 1


def test_where_nothing_is_whole_all_is_damaged() -> None:
    found = findings()
    for _ in range(3):
        found.put(shot(corrupt=True))

    assert report(found).pictures_damaged == 3


def test_missing_packets_are_counted() -> None:
    found = findings()
    for seq in (0, 1, 4, 5):
        found.observe(RtpPacket(96, False, seq, 0, 7, b"x", time.monotonic()))

    made = report(found)
    assert (made.packets, made.packets_lost) == (4, 2)
    assert "lower its bit rate" in hints(found)


def test_the_longest_way_between_key_pictures_counts() -> None:
    found = findings()
    for number in range(20):
        found.observe(Unit(100, number in (0, 5, 17), float(number), number))

    made = report(found)
    assert (made.key_seconds, made.key_pictures) == (12.0, 12)
    assert "key frames come rarely" in hints(found)


def test_fewer_pictures_than_announced_get_a_hint() -> None:
    found = findings()
    for number in range(10):
        found.put(Shot(shot().picture, number / 10))

    assert report(found).fps == 10
    assert "announces 25 pictures a second and sends 10" in hints(found)


def test_a_burst_in_the_beginning_is_not_the_rate() -> None:
    found = findings()
    picture = shot().picture
    for number in range(-60, 40):  # sixty that waited, then 25 a second
        found.put(Shot(picture, max(0, number) / 25))

    assert report(found).fps == pytest.approx(25)


def test_ffmpeg_as_a_substitute_gets_a_hint() -> None:
    found = findings()
    found.observe(TakenOver("cam: it is packed in an unusual way"))

    assert "packed in an unusual way" in hints(found)
