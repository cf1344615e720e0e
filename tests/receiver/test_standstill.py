"""Frames that waited while the receiver stood still are late, and no others."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from receiver.hub import Hub
from receiver.standstill import Standstill
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.shared.access.clock import Clock

NOW = 1_700_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standstill(clock: Clock) -> Standstill:
    return Standstill(clock=clock, time_of_day=lambda: NOW + clock())


class Sender:
    """Its clock is an hour behind."""

    def __init__(self, clock: Clock, make_frame: MakeFrame) -> None:
        self._clock, self._make_frame = clock, make_frame
        self._seq = 0

    def send(self, seconds_ago: float = 0.0, *, offset: float = 3600.0) -> EncodedFrame:
        self._seq += 1
        frame = self._make_frame(self._seq)
        at = NOW + self._clock() - seconds_ago - 3600
        return replace(frame, captured_at=at, sent_at=at, clock_offset=offset)


@pytest.fixture
def sender(clock: Clock, make_frame: MakeFrame) -> Sender:
    return Sender(clock, make_frame)


def live(standstill: Standstill, clock: Clock) -> None:
    for _ in range(5):
        clock.now += 1
        standstill.beat()


@pytest.mark.parametrize("beats_first", [True, False])
def test_what_was_sent_before_a_standstill_ended_is_old(
    standstill: Standstill, clock: Clock, sender: Sender, beats_first: bool
) -> None:
    live(standstill, clock)
    clock.now += 30
    if beats_first:
        standstill.beat()

    assert standstill.made_old(sender.send(29))
    assert standstill.made_old(sender.send(1))
    assert not standstill.made_old(sender.send(0.2))


def test_a_thin_line_makes_nothing_old(
    standstill: Standstill, clock: Clock, sender: Sender
) -> None:
    live(standstill, clock)
    clock.now += 1.5

    assert not standstill.made_old(sender.send(20))


def test_soon_after_a_standstill_nothing_is_old_any_more(
    standstill: Standstill, clock: Clock, sender: Sender
) -> None:
    live(standstill, clock)
    clock.now += 30
    assert standstill.made_old(sender.send(20))
    live(standstill, clock)
    clock.now += 1

    assert not standstill.made_old(sender.send(20))


def test_of_a_sender_whose_clock_is_unknown_nothing_is_old(
    standstill: Standstill, clock: Clock, sender: Sender, make_frame: MakeFrame
) -> None:
    live(standstill, clock)
    clock.now += 30

    assert not standstill.made_old(sender.send(20, offset=0.0))
    assert not standstill.made_old(make_frame(99))


def test_an_old_frame_is_superseded_and_the_books_close(clock: Clock, sender: Sender) -> None:
    hub = Hub(clock=clock)
    hub.publish(sender.send())
    live(hub.standstill, clock)
    clock.now += 30

    def send(seconds_ago: float) -> EncodedFrame:
        return replace(sender.send(), sent_at=time.time() - seconds_ago, clock_offset=0.001)

    assert hub.publish(send(20)) == "superseded"
    assert hub.publish(send(0)) == "accepted"
    camera = hub.get("cam1")
    assert camera is not None
    books = camera.books()
    assert (books.received, books.superseded, books.waiting) == (3, 2, 1)
    # Who asks for each frame gets each.
    assert hub.publish(send(20), every=True) == "accepted"
