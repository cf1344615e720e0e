from __future__ import annotations

import pytest

from benchmarks.measuring.contest import turn_of
from benchmarks.measuring.showing import Showing, figures, marginal_cpu
from benchmarks.measuring.sink import Note


def showing(viewers: int, *, fps: float = 25.0, cpu: float = 0.1, hook: float = 25.0) -> Showing:
    notes = [Note(True, n, 9.99, 10.0) for n in range(4)] if viewers else []
    seen = turn_of(notes, 1.0, cpu={"server": cpu}, memory={"server": 50_000_000})
    rates = (fps,) * viewers
    return Showing(viewers, rates, cpu, seen, received_fps=25, hook_fps=hook, encoded_fps=0)


def test_a_picture_costs_what_more_viewers_cost_more() -> None:
    showings = [showing(1, cpu=0.1), showing(5, cpu=0.15), showing(11, cpu=0.35)]

    assert marginal_cpu(showings) == pytest.approx(1000)


def test_a_turn_that_was_disturbed_does_not_count() -> None:
    showings = [showing(1, cpu=0.1), *[showing(11, cpu=cpu) for cpu in (0.35, 0.36, 9.0)]]

    assert marginal_cpu(showings) == pytest.approx(1040)


def test_without_fewer_viewers_to_compare_with_all_cpu_counts() -> None:
    assert marginal_cpu([showing(0, cpu=0.2), showing(10, cpu=0.5)]) == pytest.approx(2000)


def test_rates_are_compared_with_those_without_viewers() -> None:
    found = figures([showing(0, hook=25.0), showing(1, hook=24.75), showing(10, hook=20.0)])

    shares = {number: row["hook_fps_share"] for number, row in found["viewers"].items()}
    assert shares == {"0": 1.0, "1": 0.99, "10": 0.8}
    assert found["viewers"]["1"]["age_p50_ms"] == pytest.approx(10)


def test_the_slowest_viewer_is_told() -> None:
    uneven = Showing(2, (25.0, 3.0), 0.1, showing(1).seen)

    row = figures([uneven])["viewers"]["2"]

    assert (row["fps"], row["slowest_fps"], row["hook_fps_share"]) == (14, 3, None)
