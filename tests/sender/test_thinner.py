from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.thinner import Thinner


def kept(thinner: Thinner, times: list[float]) -> list[int]:
    return [number for number, at in enumerate(times) if thinner.wants(at)]


def test_without_a_wish_all_pass() -> None:
    assert kept(Thinner(None), [0.0] * 10) == list(range(10))


@pytest.mark.parametrize(("source", "wish"), [(25, 10), (30, 25), (30, 1), (60, 24), (25, 24.9)])
def test_frames_pass_evenly(source: float, wish: float) -> None:
    numbers = kept(Thinner(wish), [n / source for n in range(3000)])

    assert len(numbers) == pytest.approx(3000 * wish / source, abs=2)
    gaps = {b - a for a, b in pairwise(numbers[3:])}
    assert max(gaps) - min(gaps) <= 1


def test_a_camera_at_the_wished_rate_loses_nothing_to_jitter() -> None:
    jitter = [0.01, -0.012, 0.015, -0.004, 0.0, 0.013, -0.015] * 300

    assert len(kept(Thinner(25), [n / 25 + j for n, j in enumerate(jitter)])) == len(jitter)


def test_a_camera_below_the_wished_rate_loses_nothing() -> None:
    assert len(kept(Thinner(25), [n / 12.5 for n in range(500)])) == 500


def test_a_rate_may_change_between_two_frames() -> None:
    thinner = Thinner(None)
    times = [n / 25 for n in range(250)]
    before = kept(thinner, times)
    thinner.fps = 5
    during = kept(thinner, [10 + at for at in times])
    thinner.fps = None
    after = kept(thinner, [20 + at for at in times])

    assert len(before) == len(after) == 250
    assert len(during) == pytest.approx(50, abs=2)


@given(
    wish=st.floats(0.5, 100),
    gaps=st.lists(st.floats(0, 0.5), max_size=200),
)
def test_never_more_pass_than_were_wished_for(wish: float, gaps: list[float]) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    numbers = kept(Thinner(wish), times)

    for first in range(0, len(numbers), 7):
        for last in range(first, len(numbers), 5):
            span = times[numbers[last]] - times[numbers[first]]
            assert last - first + 1 <= wish * span + 2 + 1e-3
