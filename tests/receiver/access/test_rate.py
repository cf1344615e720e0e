"""How often somebody may come, by a clock that the test moves."""

from __future__ import annotations

import threading

import pytest

from receiver.access.rate import Rate
from shared.access.network import ADDRESSES, network_of
from tests.shared.access.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate(clock: Clock) -> Rate:
    return Rate(2, burst=5, clock=clock)


def come(rate: Rate, who: str, times: int) -> int:
    """Return how often `who`, who comes so many times, may."""
    return sum(rate.take(who) == 0 for _ in range(times))


def test_some_may_come_in_a_row_and_then_one_after_the_other(rate: Rate, clock: Clock) -> None:
    assert come(rate, "a", 50) == 5
    for _ in range(10):
        clock.now += 0.5
        assert come(rate, "a", 50) == 1


def test_in_a_long_time_nobody_comes_oftener_than_the_rate_and_the_row(
    rate: Rate, clock: Clock
) -> None:
    taken = 0
    for _ in range(1000):
        taken += come(rate, "a", 3)
        clock.now += 0.1

    assert taken == 5 + 2 * 100 - 1


def test_the_wait_is_the_time_until_one_more_may_come(rate: Rate, clock: Clock) -> None:
    come(rate, "a", 5)
    wait = rate.take("a")
    clock.now += wait

    assert wait == pytest.approx(0.5)
    assert rate.take("a") == 0


def test_who_was_refused_owes_nothing_for_it(rate: Rate, clock: Clock) -> None:
    come(rate, "a", 1000)
    clock.now += 2.5

    assert come(rate, "a", 1000) == 5


def test_nobody_takes_from_another(rate: Rate) -> None:
    come(rate, "a", 1000)

    assert come(rate, "b", 5) == 5


def test_however_many_come_only_so_many_are_remembered(rate: Rate) -> None:
    for number in range(3 * ADDRESSES):
        rate.take(f"10.{number}")

    assert len(rate) == ADDRESSES


def test_who_floods_is_not_forgotten_for_others_who_come_now_and_then(rate: Rate) -> None:
    come(rate, "flood", 5)
    for number in range(3 * ADDRESSES):
        assert rate.take("flood") > 0
        rate.take(f"10.{number}")


def test_many_threads_together_may_come_as_often_as_one(rate: Rate) -> None:
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(come(rate, "a", 500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 5


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "unknown", False),
    ],
)
def test_what_one_machine_may_choose_is_one_network(first: str, second: str, is_one: bool) -> None:
    assert (network_of(first) == network_of(second)) is is_one
