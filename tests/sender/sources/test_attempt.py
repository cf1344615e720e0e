"""Calls that cannot be trusted to come back, and how they are ended."""

from __future__ import annotations

import threading
import time

import pytest

from sender.sources.attempt import Attempt, Overdue
from sender.sources.contract import SourceError
from sender.sources.interrupt import Interrupt
from tests.leftovers import leaves_nothing


def test_what_the_call_returns_or_raises_comes_through() -> None:
    discarded: list[int] = []

    assert Attempt(lambda: 7, discard=discarded.append, name="a").run(5, Interrupt()) == 7
    with pytest.raises(ZeroDivisionError):
        Attempt(lambda: 1 // 0, discard=discarded.append, name="a").run(5, Interrupt())
    assert discarded == []


def test_what_the_call_raised_leaves_nothing_to_the_garbage_collector() -> None:
    attempt = Attempt(lambda: 1 // 0, discard=print, name="a")

    assert leaves_nothing(lambda: attempt.run(30, Interrupt()))


def test_a_late_result_is_discarded() -> None:
    come = threading.Event()
    discarded = threading.Event()

    def call() -> int:
        come.wait(60)
        return 7

    with pytest.raises(Overdue):
        Attempt(call, discard=lambda late: discarded.set(), name="a").run(0.05, Interrupt())
    come.set()

    assert discarded.wait(30)


def test_an_interrupt_ends_the_wait_at_once() -> None:
    come = threading.Event()
    interrupt = Interrupt()
    timer = threading.Timer(0.05, interrupt.set)
    timer.start()
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        Attempt(lambda: come.wait(60), discard=lambda late: None, name="a").run(60, interrupt)
    come.set()

    assert caught.value.reason == "interrupted"
    assert time.monotonic() - start < 30


def test_an_interrupt_that_came_before_ends_the_next_wait_until_it_is_forgotten() -> None:
    interrupt = Interrupt()
    interrupt.set()

    with pytest.raises(SourceError):
        interrupt.wait(60)
    with pytest.raises(SourceError):
        Attempt(lambda: 7, discard=lambda late: None, name="a").run(5, interrupt)
    interrupt.clear()

    assert Attempt(lambda: 7, discard=lambda late: None, name="a").run(5, interrupt) == 7
