from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sender.books import Books, Ledger
from sender.spool.stock import Stock
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


class Place:
    """A poster's place with these counts."""

    def counts(self) -> tuple[int, int, int]:
        return 10, 3, 2


def test_with_a_spool_its_counts_stand_in_the_books_and_what_it_was_too_slow_for_is_lost() -> None:
    stock = Stock(recovered=5, expired=2, damaged=1, waiting=4, bytes=999, oldest_seconds=1.0)
    ledger = Ledger(Place(), stock=lambda: stock)
    for _ in range(2):
        ledger.post(0.1)
    ledger.refuse(503)
    ledger.fail("timeout")

    assert ledger.books() == Books(
        captured=15,
        recovered=5,
        posted=2,
        superseded=0,
        expired=2,
        refused={503: 1},
        failed={"timeout": 1, "spool_slow": 3, "damaged": 1},
        waiting=15 + 5 - 2 - 2 - 1 - 5,
    )


def test_without_a_spool_nothing_is_recovered_or_expired() -> None:
    ledger = Ledger(Place())
    ledger.post(0.1)

    assert ledger.books() == Books(
        captured=15,
        recovered=0,
        posted=1,
        superseded=3,
        expired=0,
        refused={},
        failed={},
        waiting=11,
    )
    assert Books(1, 1, 0, {}, {}, 0) == Books(1, 1, 0, {}, {}, 0, recovered=0, expired=0)


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
