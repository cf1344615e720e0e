from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sender.books import Ledger
from shared.latest import Latest

STEPS = st.lists(st.sampled_from(["put", "take", "post", "refuse", "fail"]), max_size=80)


@given(depth=st.integers(1, 4), steps=STEPS)
def test_the_books_close_at_every_moment(depth: int, steps: list[str]) -> None:
    slot: Latest[int] = Latest(depth)
    place = slot.reader()
    ledger = Ledger(place)
    put = on_their_way = 0
    for step in steps:
        if step == "put":
            slot.put(put)
            put += 1
        elif step == "take":
            on_their_way += place.get(0) is not None
        elif on_their_way:
            on_their_way -= 1
            {
                "post": lambda: ledger.post(0.1),
                "refuse": lambda: ledger.refuse(503),
                "fail": lambda: ledger.fail("timeout"),
            }[step]()

        books = ledger.books()
        settled = books.posted + sum(books.refused.values()) + sum(books.failed.values())
        assert books.captured == put == settled + books.superseded + books.waiting
        # Not only do the sums close, which they also would if a frame were never settled.
        assert books.waiting == on_their_way + place.counts()[2]


def test_losses_are_kept_by_status_and_by_reason() -> None:
    slot: Latest[int] = Latest(depth=9)
    place = slot.reader()
    ledger = Ledger(place)
    for number in range(7):
        slot.put(number)
        place.get(0)
    for status in (503, 413, 503):
        ledger.refuse(status)
    for reason in ("timeout", "connect", "timeout"):
        ledger.fail(reason)

    books = ledger.books()

    assert books.refused == {503: 2, 413: 1}
    assert books.failed == {"timeout": 2, "connect": 1}
    assert books.waiting == 1


def test_the_age_is_the_median_of_the_posted_frames() -> None:
    ledger = Ledger(Latest[int]().reader())
    assert ledger.age() is None

    for age in (0.01, 0.02, 9.0):
        ledger.post(age)

    assert ledger.age() == 0.02


def test_the_age_is_that_of_the_newest_three_hundred() -> None:
    ledger = Ledger(Latest[int]().reader())
    for age in [9.0] * 151 + [1.0] * 150:
        ledger.post(age)

    assert ledger.age() == (9.0 + 1.0) / 2


def test_the_last_outcome_is_known() -> None:
    ledger = Ledger(Latest[int]().reader())
    seen = [ledger.last_was_posted]
    ledger.post(0.1)
    seen.append(ledger.last_was_posted)
    ledger.refuse(400)
    seen.append(ledger.last_was_posted)

    ledger.post(0.1)
    seen.append(ledger.last_was_posted)
    ledger.fail("timeout")
    seen.append(ledger.last_was_posted)

    assert seen == [False, True, False, True, False]
