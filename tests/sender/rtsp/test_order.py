"""Packets in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.order import MAX_DROPOUT, MAX_MISORDER, Order
from sender.rtsp.rtp import RtpPacket
from tests.sender.rtsp.packing import SSRC, packet


def numbered(seq: int, at: float = 0.0, ssrc: int = SSRC) -> RtpPacket:
    return packet(b"x", seq=seq, arrived=at, ssrc=ssrc)


def put(order: Order, *numbers: int, at: float = 0.0, ssrc: int = SSRC) -> list[tuple[int, bool]]:
    """Put packets of these numbers; return those that came out, and the gaps before them."""
    return seen(pair for n in numbers for pair in order.put(numbered(n, at, ssrc)))


def seen(ordered: Iterable[tuple[RtpPacket, bool]]) -> list[tuple[int, bool]]:
    return [(packet.seq, gap) for packet, gap in ordered]


def row(*numbers: int) -> list[tuple[int, bool]]:
    return [(number % 65536, False) for number in numbers]


def test_packets_in_order_are_handed_on_at_once() -> None:
    order = Order()

    assert put(order, 5) == row(5)
    assert put(order, 6, 7) == row(6, 7)


def test_numbers_turn_over() -> None:
    assert put(Order(), 65534, 65535, 0, 1) == row(65534, 65535, 0, 1)


def test_a_late_packet_is_waited_for_and_put_in_its_place() -> None:
    order = Order()
    put(order, 65534)

    assert put(order, 0, 1) == []
    assert put(order, 65535) == row(65535, 0, 1)
    assert order.deadline() is None


def test_a_packet_that_never_comes_is_given_up_when_enough_wait_behind_it() -> None:
    order = Order(depth=3)
    put(order, 0)

    assert put(order, 2, 3, 4) == []
    assert put(order, 5) == [(2, True), *row(3, 4, 5)]


def test_a_packet_that_never_comes_is_given_up_in_time() -> None:
    order = Order(patience=0.05)
    put(order, 0, at=10.0)
    put(order, 3, at=10.02)
    put(order, 4, at=10.04)

    assert order.deadline() == pytest.approx(10.07)
    assert order.overdue(10.069) == []
    assert seen(order.overdue(10.071)) == [(3, True), (4, False)]
    assert order.deadline() is None


def test_each_gap_has_its_own_time() -> None:
    order = Order(patience=0.05)
    put(order, 0, at=10.0)
    put(order, 2, at=10.01)
    put(order, 4, at=10.03)

    assert seen(order.overdue(10.061)) == [(2, True)]
    assert order.deadline() == pytest.approx(10.08)
    assert seen(order.overdue(10.081)) == [(4, True)]


def test_what_stands_before_an_overdue_packet_need_not_wait_either() -> None:
    order = Order(patience=0.05)
    put(order, 0, at=10.0)
    put(order, 9, at=10.0)
    put(order, 5, at=10.04)

    assert seen(order.overdue(10.051)) == [(5, True), (9, True)]


def test_a_packet_that_comes_ends_the_waiting_of_those_that_are_overdue() -> None:
    order = Order(patience=0.05)
    put(order, 0, at=10.0)
    put(order, 2, at=10.0)

    assert put(order, 3, at=10.06) == [(2, True), (3, False)]


def test_duplicates_and_packets_that_were_given_up_end_here() -> None:
    order = Order(depth=1)
    put(order, 0, 2, 3)

    assert put(order, 1, 2, 3, 3, 0) == []
    assert put(order, 4) == row(4)


def test_a_duplicate_of_one_that_waits_takes_no_room() -> None:
    order = Order(depth=2)
    put(order, 0)

    assert put(order, 2, 2, 2, 2) == []


def test_a_duplicate_prolongs_no_waiting() -> None:
    order = Order(patience=0.05)
    put(order, 0, at=10.0)
    put(order, 2, at=10.0)
    put(order, 2, at=10.04)

    assert order.deadline() == pytest.approx(10.05)


def test_without_depth_nothing_waits_and_gaps_are_noticed() -> None:
    order = Order(depth=0)

    assert put(order, 65535, 0, 3, 4, 3) == [*row(65535, 0), (3, True), (4, False)]
    assert order.deadline() is None


def test_a_sender_that_starts_its_numbers_anew_is_followed() -> None:
    order = Order()
    put(order, 40000, 40001)

    assert put(order, 100) == []
    assert put(order, 101) == [(100, True), (101, False)]
    assert put(order, 102) == row(102)


def test_a_single_packet_with_a_wild_number_disturbs_nothing() -> None:
    order = Order()
    put(order, 40000)

    assert put(order, 100, 40001, 101, 40002) == row(40001, 40002)


def test_another_sender_is_followed_at_once_and_nothing_of_the_first_is_kept_back() -> None:
    order = Order()
    put(order, 10)
    put(order, 12)

    assert put(order, 7, ssrc=SSRC + 1) == [(12, True), (7, True)]
    assert put(order, 8, ssrc=SSRC + 1) == row(8)


def test_a_long_outage_of_the_network_is_survived() -> None:
    order = Order()
    put(order, 0)

    assert put(order, MAX_DROPOUT + 2) == []
    assert put(order, MAX_DROPOUT + 3) == [(MAX_DROPOUT + 2, True), (MAX_DROPOUT + 3, False)]


@given(
    start=st.integers(0, 65535),
    keys=st.lists(st.integers(0, 20), min_size=1, max_size=300),
)
def test_disorder_within_the_depth_is_invisible(start: int, keys: list[int]) -> None:
    order = Order(depth=64)
    put(order, start)
    # Each packet is late by at most 20 places.
    shuffled = sorted(range(len(keys)), key=lambda place: (place + keys[place], place))
    numbers = [start + 1 + place for place in shuffled]

    assert put(order, *numbers) == row(*sorted(numbers))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 40), st.integers(65500, 65535), st.integers(0, 65535)),
            st.integers(0, 1),
            st.floats(allow_nan=False),
        ),
        max_size=200,
    ),
    st.integers(0, 8),
)
def test_any_packets_in_any_order_leave_as_often_as_they_came_at_most(
    packets: list[tuple[int, int, float]], depth: int
) -> None:
    order = Order(depth=depth)
    left = 0
    for came, (seq, ssrc, at) in enumerate(packets, 1):
        left += len(order.put(numbered(seq, at, ssrc)))
        assert left <= came
        assert len(order._waiting) <= depth


@given(st.sets(st.integers(0, 200)), st.integers(0, 100))
def test_every_gap_is_told_once(missing: set[int], depth: int) -> None:
    order = Order(depth=depth)
    numbers = [number for number in range(202) if number not in missing or number == 0]
    came = [number % 65536 for number in numbers]
    left = put(order, *came) + seen(order.overdue(1e9))

    assert [number for number, _ in left] == came
    assert [number for number, gap in left if gap] == [
        number for number in came if number and number - 1 not in came
    ]


def test_the_windows_of_late_and_lost_do_not_meet() -> None:
    assert MAX_DROPOUT + MAX_MISORDER < 65536 // 2
