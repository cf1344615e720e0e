"""The camera's small parts, each by itself."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.message import Garbage, Inbox
from camera.outlet import Outlet
from camera.pace import Pace
from camera.packets import RtpFrame
from camera.session import REPORT_INTERVAL, Session


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Pipe(Outlet):
    """An outlet whose room the test decides."""

    name = "pipe"

    def __init__(self) -> None:
        self.room = True
        self.frames: list[RtpFrame] = []
        self.reports: list[bytes] = []

    def has_room(self) -> bool:
        return self.room

    def send(self, frame: RtpFrame) -> None:
        self.frames.append(frame)

    def report(self, rtcp: bytes) -> None:
        self.reports.append(rtcp)

    def close(self) -> None:
        pass


def frame(number: int, *, key: bool = False) -> RtpFrame:
    return RtpFrame(
        key=key, rtp_time=number, captured_at=1.5, ssrc=1, packets=(bytes(20), bytes(32))
    )


def test_frames_keep_their_places_when_one_comes_late() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)

    due = []
    for delay in (0.0, 0.1, 0.15, 0.05, 0.1):
        clock.now += delay
        due.append(pace.next())

    assert due == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])
    assert pace.missed == 0


def test_places_that_passed_are_missed_and_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)
    pace.next()
    clock.now += 0.55

    assert pace.next() == pytest.approx(100.5)
    assert pace.next() == pytest.approx(100.6)
    assert pace.missed == 4


def test_after_a_rest_the_next_frame_is_due_at_once() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)
    pace.next()
    clock.now += 7.77
    pace.rest()

    assert pace.next() == clock.now
    assert pace.missed == 0


def test_a_client_gets_nothing_before_a_key_frame() -> None:
    pipe = Pipe()
    session = Session(pipe)
    session.play()

    assert [session.deliver(frame(n, key=n == 2)) for n in range(4)] == [True] * 4
    assert [sent.rtp_time for sent in pipe.frames] == [2, 3]
    assert (session.sent, session.dropped) == (2, 0)


def test_a_client_without_room_goes_on_with_a_key_frame() -> None:
    pipe = Pipe()
    session = Session(pipe)
    session.play()
    session.deliver(frame(0, key=True))
    pipe.room = False
    assert not session.deliver(frame(1))
    assert not session.deliver(frame(2, key=True))
    pipe.room = True
    assert not session.deliver(frame(3))
    assert session.deliver(frame(4, key=True))
    assert session.deliver(frame(5))

    assert [sent.rtp_time for sent in pipe.frames] == [0, 4, 5]
    assert (session.sent, session.dropped) == (3, 3)


def test_reports_come_with_the_first_frame_and_then_at_times() -> None:
    clock, pipe = Clock(), Pipe()
    session = Session(pipe, clock=clock)
    session.play()
    for number in range(4):
        session.deliver(frame(number, key=True))
        clock.now += REPORT_INTERVAL / 2

    assert len(pipe.reports) == 2
    packets, octets = (int.from_bytes(pipe.reports[1][at : at + 4]) for at in (20, 24))
    assert (packets, octets) == (4, 2 * (8 + 20))


REQUESTS = (
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n$\0\0\3abc"
    b"SET_PARAMETER rtsp://h/ RTSP/1.0\nCSeq: 2\nContent-Length: 4\n\na: bPLAY x RTSP/1.0\r\n\r\n"
)


@given(st.lists(st.integers(0, len(REQUESTS))))
def test_requests_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    inbox = Inbox()
    places = [0, *sorted(cuts), len(REQUESTS)]
    found = [
        request.method
        for start, end in pairwise(places)
        for request in inbox.feed(REQUESTS[start:end])
    ]

    assert found == ["OPTIONS", "SET_PARAMETER", "PLAY"]


@given(st.binary(max_size=300))
def test_any_bytes_are_requests_or_garbage(data: bytes) -> None:
    with suppress(Garbage):
        list(Inbox().feed(data + b"\r\n\r\n"))
