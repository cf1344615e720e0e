"""Reports, both ways, and the camera's clock."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.packets import RtpFrame
from sender.rtsp.rtcp import (
    Bye,
    ReportBlock,
    SenderClock,
    SenderReport,
    read,
    write_receiver_report,
)

#: 2024-01-01, in NTP's and in Unix's seconds.
NTP, UNIX = 3_913_056_000, 1_704_067_200
REPORT = SenderReport(7, NTP << 32, 1000)


def sender_report(ssrc: int = 7) -> bytes:
    return struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, NTP << 32 | 1 << 31, 90, 1, 2)


def bye(*ssrcs: int) -> bytes:
    count = len(ssrcs)
    return struct.pack(f">BBH{count}I", 0x80 | count, 203, count, *ssrcs)


def test_what_the_simulated_camera_reports_is_read() -> None:
    frame = RtpFrame(key=True, rtp_time=5, captured_at=UNIX + 0.25, ssrc=9, packets=())

    (report,) = read(frame.report(1, 2))

    assert report == SenderReport(9, NTP << 32 | 1 << 30, 5)


def test_a_goodbye_is_read() -> None:
    assert read(sender_report() + bye(7, 8)) == [
        SenderReport(7, NTP << 32 | 1 << 31, 90),
        Bye((7, 8)),
    ]
    assert read(bye()) == [Bye(())]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc8\0",
        sender_report()[:-1],
        b"\x40" + sender_report()[1:],
        b"\x80\xc8\xff\xff" + sender_report()[4:],
        struct.pack(">BBHI", 0x80, 200, 1, 7),
        b"\x80\xc9\0\0",
    ],
)
def test_what_is_malformed_is_ignored(data: bytes) -> None:
    assert read(data) == []


def test_a_compound_ends_where_it_is_malformed() -> None:
    assert len(read(sender_report() + b"\0" + bye(7))) == 1


@given(st.binary(max_size=200) | st.builds(lambda tail: sender_report() + tail, st.binary()))
def test_any_bytes_are_read(data: bytes) -> None:
    for found in read(data):
        assert isinstance(found, (SenderReport, Bye))


def test_a_receiver_report_is_written() -> None:
    block = ReportBlock(7, 64, -2, 0x1FFFE, 33, 0xABCD1234, 65536)

    data = write_receiver_report(5, block, cname="name")

    assert data[:32] == struct.pack(
        ">BBHIIIIIII", 0x81, 201, 7, 5, 7, 64 << 24 | 0xFFFFFE, 0x1FFFE, 33, 0xABCD1234, 65536
    )
    assert data[32:] == struct.pack(">BBHIBB4s2x", 0x81, 202, 3, 5, 1, 4, b"name")


def test_without_a_block_somebody_listens() -> None:
    assert write_receiver_report(5, None, cname="abcdef")[:8] == struct.pack(
        ">BBHI", 0x80, 201, 1, 5
    )


@given(
    values=st.tuples(*[st.integers(0, 255)], *[st.integers(-(1 << 30), 1 << 40)] * 3),
    cname=st.text("abc", max_size=20),
)
def test_a_report_is_always_whole_words(values: tuple[int, int, int, int], cname: str) -> None:
    fraction, lost, seq, jitter = values
    block = ReportBlock(7, fraction, lost, abs(seq), abs(jitter), 0, abs(seq))
    data = write_receiver_report(5, block, cname=cname)

    assert data[12] == fraction
    signed = int.from_bytes(data[13:16], "big", signed=True)
    assert signed == max(-(1 << 23), min(lost, (1 << 23) - 1))
    length = int.from_bytes(data[34:36], "big")
    assert len(data) == 32 + 4 * (length + 1)
    assert data[-1] == 0


def test_the_clock_tells_the_senders_time() -> None:
    clock = SenderClock(90_000)
    assert clock.unix(0) is None

    clock.put(SenderReport(7, NTP << 32 | 1 << 31, 0xFFFFFF00))

    assert clock.unix(0xFFFFFF00) == UNIX + 0.5
    assert clock.unix(0xFFFFFF00 + 90_000 & 0xFFFFFFFF) == UNIX + 1.5
    assert clock.unix(0xFFFFFF00 - 45_000) == UNIX
    assert clock.ssrc == 7


def test_the_newest_report_counts() -> None:
    clock = SenderClock(1000)
    clock.put(REPORT)
    clock.put(SenderReport(7, NTP + 10 << 32, 1000))

    assert clock.unix(2000) == UNIX + 11
    clock.forget()
    assert clock.unix(2000) is None
    assert clock.ssrc is None


@pytest.mark.parametrize("ntp", [0, 86_400 << 32, (1 << 63) - 1])
def test_a_report_without_wall_clock_time_is_ignored(ntp: int) -> None:
    clock = SenderClock(1000)
    clock.put(REPORT)
    clock.put(SenderReport(7, ntp, 5000))

    assert clock.unix(1000) == UNIX
