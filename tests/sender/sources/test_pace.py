"""When frames are due."""

from __future__ import annotations

import pytest

from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace


class Waits(Interrupt):
    """An Interrupt whose waits take no time but move its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += max(0.0, seconds)


def test_the_first_frame_comes_at_once_and_the_others_when_they_are_due() -> None:
    waits = Waits()
    pace = Pace(waits, clock=waits.clock)

    for due in (7.0, 7.5, 8.5):
        pace.wait(due)

    assert waits.waited == pytest.approx([0, 0.5, 1.0])


def test_a_late_frame_does_not_delay_those_after_it() -> None:
    waits = Waits()
    pace = Pace(waits, clock=waits.clock)
    pace.wait(0.0)
    waits.now += 0.7
    pace.wait(0.5)
    pace.wait(1.0)

    assert waits.now == pytest.approx(101.0)


def test_what_cannot_be_caught_up_with_is_let_go() -> None:
    waits = Waits()
    pace = Pace(waits, clock=waits.clock)
    pace.wait(0.0)
    waits.now += 60.0
    for due in (1.0, 2.0):
        pace.wait(due)

    assert waits.waited == pytest.approx([0, 0, 1.0])
