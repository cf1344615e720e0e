from __future__ import annotations

from sender.watchdog import Watchdog


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_call_that_hangs_is_nudged_once_and_then_abandoned() -> None:
    clock = Clock()
    dog = Watchdog(patience=10, grace=2, clock=clock)
    began = clock.now
    seen = []
    for _ in range(8):
        clock.now += 2
        seen.append(dog.look(began))

    assert seen == ["well"] * 5 + ["nudge", "well", "abandon"]


def test_a_call_that_a_nudge_helped_is_well() -> None:
    clock = Clock()
    dog = Watchdog(patience=10, grace=2, clock=clock)
    began = clock.now
    clock.now += 11
    assert dog.look(began) == "nudge"
    clock.now += 5

    assert dog.look(None) == "well"
    assert dog.look(clock.now - 1) == "well"


def test_each_call_is_judged_for_itself() -> None:
    clock = Clock()
    dog = Watchdog(patience=10, grace=2, clock=clock)
    began = clock.now
    clock.now += 11
    assert dog.look(began) == "nudge"
    clock.now += 11

    assert dog.look(began + 5) == "nudge"


def test_a_thread_between_calls_is_well_however_long() -> None:
    clock = Clock()
    dog = Watchdog(patience=10, clock=clock)
    clock.now += 1000

    assert dog.look(None) == "well"
