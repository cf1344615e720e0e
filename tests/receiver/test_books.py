"""What several receivers say of a camera adds up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.books import Books, Elsewhere

HERE = Elsewhere(
    books=Books(received=21, processed=8, superseded=5, failed=3, waiting=5, duplicate=2),
    fps=2.5,
    viewers=1,
    idle=0.5,
    epoch="e1",
    seq=7,
    width=640,
    height=480,
    heard=100.0,
)
THERE = Elsewhere(
    books=Books(received=100, processed=10, superseded=20, failed=30, waiting=40, duplicate=50),
    fps=10.0,
    viewers=4,
    idle=0.25,
    epoch="e2",
    seq=3,
    width=1280,
    height=720,
    heard=99.0,
    still=True,
)


def test_each_count_is_added_to_its_like() -> None:
    assert HERE.books + THERE.books == Books(
        received=121, processed=18, superseded=25, failed=33, waiting=45, duplicate=52
    )


def test_the_sums_close_as_those_they_are_made_of_do() -> None:
    both = HERE.books + THERE.books

    assert both.received == both.processed + both.superseded + both.failed + both.waiting


@pytest.mark.parametrize("pair", [(HERE, THERE), (THERE, HERE)], ids=["here first", "there first"])
def test_of_two_receivers_the_one_that_had_a_frame_later_says_which(
    pair: tuple[Elsewhere, Elsewhere],
) -> None:
    first, second = pair

    assert first + second == replace(THERE, books=HERE.books + THERE.books, fps=12.5, viewers=5)
    assert replace(THERE, idle=0.75) + HERE == replace(
        HERE, books=HERE.books + THERE.books, fps=12.5, viewers=5
    )
