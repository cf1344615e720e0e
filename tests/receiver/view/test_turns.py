from __future__ import annotations

import threading
import time

from receiver.view.turns import Turns


class Part:
    """Something that waits for its turn."""

    def __init__(self) -> None:
        self.is_waiting = False

    def take(self) -> bytes | None:
        return None


def test_turns_come_in_the_order_of_the_bells() -> None:
    turns, a, b = Turns(), Part(), Part()

    turns.ring(b)
    turns.ring(a)

    assert [turns.next(), turns.next()] == [b, a]


def test_a_part_that_rings_often_has_one_turn_and_does_not_starve_the_others() -> None:
    turns, busy, quiet = Turns(), Part(), Part()

    got = []
    turns.ring(busy)
    turns.ring(quiet)
    for _ in range(4):
        for _ in range(100):
            turns.ring(busy)
        turns.ring(quiet)
        got.append(turns.next())

    assert got == [busy, quiet, busy, quiet]


def test_a_bell_during_a_turn_gives_another_one() -> None:
    turns, part = Turns(), Part()
    turns.ring(part)
    assert turns.next() is part

    turns.ring(part)

    assert turns.next() is part


def test_who_waits_is_woken_from_another_thread() -> None:
    turns, part = Turns(), Part()
    thread = threading.Timer(0.05, turns.ring, [part])
    thread.start()

    assert turns.next() is part
    thread.join(30)


def test_a_turn_can_be_had_for_later() -> None:
    turns, soon, late = Turns(), Part(), Part()
    now = time.monotonic()

    turns.ring_at(now + 0.1, late)
    turns.ring_at(now + 0.05, soon)

    assert [turns.next(), turns.next()] == [soon, late]
    assert time.monotonic() - now >= 0.1
