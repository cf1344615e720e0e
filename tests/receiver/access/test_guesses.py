"""Wrong tokens of an address are bounded, and so is what is remembered of addresses."""

from __future__ import annotations

from receiver.access.guesses import BURST, PER_SECOND, Guesses
from receiver.access.network import ADDRESSES
from tests.receiver.access.clock import Clock


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
