"""Which frames a camera knows, and how many it misses."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.order import WINDOW, Order, is_before
from receiver.standstill import Standstill
from shared.frame import EncodedFrame


def make(seq: int, *, epoch: str = "e", captured_at: float = 1.0) -> EncodedFrame:
    return EncodedFrame(
        camera="cam1", epoch=epoch, seq=seq, captured_at=captured_at, data=b"", width=1, height=1
    )


def came(order: Order, *numbers: int, **facts: Any) -> list[str]:
    """Let frames of these numbers come, and return what was said of each."""
    said: list[str] = []
    for seq in numbers:
        frame = make(seq, **facts)
        said.append("known" if order.knows(frame) else order.place(frame))
    return said


class Stood(Standstill):
    """Says that the second frame was made old."""

    def made_old(self, frame: EncodedFrame) -> bool:
        return frame.seq == 2


def test_what_a_standstill_made_old_is_late_and_known() -> None:
    order = Order(Stood())

    assert came(order, 1, 2, 3) == ["accepted", "superseded", "accepted"]
    assert came(order, 2) == ["known"]


def test_a_frame_is_known_for_as_long_as_the_window_reaches() -> None:
    order = Order()
    came(order, *range(2 * WINDOW))

    assert order.knows(make(2 * WINDOW - 1))
    assert order.knows(make(WINDOW))
    assert not order.knows(make(WINDOW - 1))


def test_the_frames_of_a_former_epoch_stay_known() -> None:
    order = Order()
    came(order, 0, 1, epoch="a", captured_at=1.0)
    came(order, 0, epoch="b", captured_at=2.0)

    # One that was restarted takes up where it was; its frames may have been captured before.
    assert came(order, 1, 2, 2, epoch="a", captured_at=1.5) == [
        "known",
        "superseded",
        "known",
    ]
    assert came(order, 1, 3, epoch="a", captured_at=3.0) == ["known", "accepted"]
    assert came(order, 0, epoch="b", captured_at=4.0) == ["known"]


def test_no_more_than_eight_former_epochs_are_kept() -> None:
    order = Order()
    for number in range(100):
        came(order, 0, epoch=f"e{number}", captured_at=float(number))

    known = [number for number in range(100) if order.knows(make(0, epoch=f"e{number}"))]
    assert known == list(range(91, 100))


def test_what_is_remembered_takes_little_memory_whatever_the_numbers() -> None:
    order = Order()
    came(order, *range(0, 2**63, 2**50 + 1))

    [numbers] = order._numbers.values()
    assert sys.getsizeof(numbers._came) < 200


def test_a_client_without_epochs_that_begins_again_is_not_taken_for_repeated() -> None:
    order = Order()
    came(order, 0, 1, epoch="", captured_at=1.0)
    came(order, 0, epoch="other", captured_at=2.0)

    assert came(order, 0, 0, epoch="", captured_at=3.0) == ["accepted", "known"]


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([0, 1, 2], 0),
        ([5, 6], 0),  # of those before the first nobody can tell
        ([0, 3], 2),
        ([0, 3, 1], 1),
        ([0, 3, 3, 1, 1, 2], 0),
        ([3, 0], 2),
        ([0, 5000], 4999),
        ([0, 5000, 1], 4999),  # too late to be told from a repeated one
    ],
)
def test_numbers_that_did_not_come_are_missing(numbers: list[int], missing: int) -> None:
    order = Order()
    came(order, *numbers)

    assert order.missing == missing


def test_each_epoch_has_gaps_of_its_own() -> None:
    order = Order()
    came(order, 0, 2, epoch="a", captured_at=1.0)
    came(order, 100, 103, epoch="b", captured_at=2.0)

    assert order.missing == 3


def test_a_frame_that_is_forgotten_is_missing_until_it_comes_again() -> None:
    order = Order()
    came(order, 0, 1, 2)
    order.forget(make(1))
    assert (order.knows(make(1)), order.missing) == (False, 1)

    came(order, 1)
    assert (order.knows(make(1)), order.missing) == (True, 0)


def test_the_newest_frame_is_new_again_once_it_is_forgotten() -> None:
    order = Order()
    came(order, 0, 1)
    order.forget(make(1))

    assert came(order, 1) == ["accepted"]


def test_each_frame_that_is_forgotten_is_missing_and_none_that_never_came() -> None:
    order = Order()
    came(order, *range(5))
    for seq in (1, 2, 2, 7):
        order.forget(make(seq))
    order.forget(make(3, epoch="other"))

    assert order.missing == 2


def test_a_former_epoch_s_frame_of_the_same_moment_came_too_late() -> None:
    order = Order()
    came(order, 0, epoch="a", captured_at=1.0)
    came(order, 0, epoch="b", captured_at=2.0)

    assert came(order, 1, epoch="a", captured_at=2.0) == ["superseded"]


def test_the_epoch_that_is_longest_out_of_use_is_forgotten() -> None:
    order = Order()
    for moment, epoch in enumerate("abcdefghiaj"):
        came(order, moment, epoch=epoch, captured_at=float(moment))

    assert order.knows(make(0, epoch="a"))
    assert not order.knows(make(1, epoch="b"))
    assert order.knows(make(2, epoch="c"))


def test_a_client_without_epochs_begins_again_with_its_number_or_after_one_with_epochs() -> None:
    order = Order()
    assert came(order, 3, epoch="", captured_at=1.0) == ["accepted"]
    assert came(order, 3, epoch="", captured_at=2.0) == ["accepted"]
    came(order, 0, epoch="other", captured_at=3.0)

    assert came(order, 9, epoch="", captured_at=4.0) == ["accepted"]
    assert order.missing == 0


def test_a_number_just_out_of_the_window_is_as_good_as_repeated() -> None:
    order = Order()
    came(order, 0, 2000, 2000 - WINDOW)
    assert order.missing == 1999

    came(order, 2000 - WINDOW + 1)
    assert order.missing == 1998


@pytest.mark.parametrize(
    ("first", "second", "is_earlier"),
    [
        (make(1), make(2), True),
        (make(2), make(1), False),
        (make(1), make(1), False),
        (replace(make(2), arrived=1.0), replace(make(1, epoch="f"), arrived=2.0), True),
        (replace(make(1), arrived=2.0), replace(make(2, epoch="f"), arrived=1.0), False),
        (replace(make(2, epoch=""), arrived=1.0), replace(make(1, epoch=""), arrived=2.0), True),
        (replace(make(1, epoch=""), arrived=1.0), replace(make(2, epoch=""), arrived=1.0), False),
    ],
)
def test_of_two_frames_the_numbers_of_an_epoch_say_which_is_earlier_or_else_their_arrival(
    first: EncodedFrame, second: EncodedFrame, is_earlier: bool
) -> None:
    assert is_before(first, second) is is_earlier


@given(st.lists(st.integers(0, 40), min_size=1))
def test_what_is_missing_are_the_numbers_between(numbers: list[int]) -> None:
    order = Order()
    came(order, *numbers)

    distinct = set(numbers)
    assert order.missing == max(distinct) - min(distinct) + 1 - len(distinct)
