"""Wrong tokens of an address are bounded, and so is what is remembered of addresses."""

from __future__ import annotations

import pytest

from shared.access.guesses import BURST, PER_SECOND, Guesses
from shared.access.network import ADDRESSES
from tests.shared.access.clock import Clock


def keys(count: int, start: int = 0) -> list[bytes]:
    return [number.to_bytes(4, "big") for number in range(start, start + count)]


def test_after_some_guesses_there_is_a_wait_for_each() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)

    taken = [guesses.take("a", key) for key in keys(BURST + 2)]
    clock.now += 1 / PER_SECOND

    assert taken == [True] * BURST + [False] * 2
    assert [guesses.take("a", key) for key in keys(2, start=99)] == [True, False]
    assert guesses.wait("a") == 1


def test_so_a_second_of_guessing_as_fast_as_it_goes_is_a_few_guesses() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    taken = 0
    for key in keys(5000):
        taken += guesses.take("a", key)
        clock.now += 0.002

    assert taken <= BURST + 10 * PER_SECOND


def test_the_same_wrong_token_again_is_no_guess() -> None:
    """A program with an old token does not keep others out that are at the same address."""
    guesses = Guesses(clock=Clock())

    assert all(guesses.take("a", b"old") for _ in range(1000))
    assert guesses.take("a", b"other")


def test_a_right_token_was_no_guess() -> None:
    guesses = Guesses(clock=Clock())
    for key in keys(10 * BURST):
        assert guesses.take("a", key)
        guesses.give_back("a", key)


def test_one_address_takes_nothing_from_another() -> None:
    guesses = Guesses(clock=Clock())
    assert not all(guesses.take("a", key) for key in keys(BURST + 1))

    assert guesses.take("b", b"first")


def test_however_many_addresses_come_only_so_many_are_remembered() -> None:
    guesses = Guesses(clock=Clock())
    for number in range(3 * ADDRESSES):
        guesses.take(f"address {number}", b"key")

    assert len(guesses) == ADDRESSES


def test_a_right_token_gives_back_the_one_guess_that_it_took() -> None:
    guesses = Guesses(clock=Clock())
    for key in keys(5):
        guesses.take("a", key)
    guesses.take("a", b"right")
    guesses.give_back("a", b"right")

    assert [guesses.take("a", key) for key in keys(BURST, start=50)].count(True) == BURST - 5


def test_a_token_that_was_no_guess_gives_nothing_back() -> None:
    guesses = Guesses(clock=Clock())
    for key in keys(BURST):
        guesses.take("a", key)
        guesses.give_back("b", key)

    guesses.give_back("a", b"never taken")

    assert not guesses.take("a", b"another")


def test_the_last_eight_wrong_tokens_of_an_address_are_remembered() -> None:
    guesses = Guesses(clock=Clock())
    *_, ninth, eighth, _, _, _, _, _, _, last = tried = keys(BURST)
    assert all(guesses.take("a", key) for key in tried)

    again = [guesses.take("a", key) for key in (ninth, eighth, last)]

    assert again == [False, True, True]


def test_the_wait_is_the_time_until_there_is_a_guess_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.access.guesses.PER_SECOND", 0.1)
    clock = Clock()
    guesses = Guesses(clock=clock)
    for key in keys(BURST):
        guesses.take("a", key)

    waits = [guesses.wait("a")]
    for passed in (2.5, 7.0, 0.5, 1000.0):
        clock.now += passed
        waits.append(guesses.wait("a"))

    assert waits == [10, 8, 1, 1, 1]
