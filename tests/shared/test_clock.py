from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import DRIFT, ClockOffset, Estimate, Exchange

NOON = 1_700_000_000.0


class Line:
    """A client and a server whose clocks are `ahead` seconds apart, on a clock set by hand."""

    def __init__(self, *, ahead: float = 0.0, window: float = 30.0) -> None:
        self.now = 1000.0
        self.ahead = ahead
        self.clocks = ClockOffset(window=window, clock=lambda: self.now)

    def exchange(self, *, there: float = 0.001, work: float = 0.0, back: float = 0.001) -> None:
        """Make an exchange and enter it; the ways take `there` and `back` seconds."""
        sent = NOON + self.now
        received = sent + there + self.ahead
        self.now += there + work + back
        self.clocks.add(
            Exchange(sent=sent, received=received, replied=received + work, seen=NOON + self.now)
        )

    def estimate(self) -> Estimate:
        estimate = self.clocks.estimate()
        assert estimate is not None
        return estimate


def test_nothing_is_known_before_the_first_exchange() -> None:
    assert ClockOffset().estimate() is None


@pytest.mark.parametrize("ahead", [0.0, 5.0, -5.0, 3e8])
def test_equal_ways_give_the_exact_offset(ahead: float) -> None:
    line = Line(ahead=ahead)
    line.exchange(there=0.02, work=0.5, back=0.02)

    assert line.estimate().offset == pytest.approx(ahead, abs=1e-6)
    assert line.estimate().error == pytest.approx(0.02, abs=0.001)


def test_the_shortest_round_trip_counts() -> None:
    line = Line(ahead=1.0)
    line.exchange(there=0.2, back=0.0)
    line.exchange(there=0.002, back=0.0)
    line.exchange(there=0.1, back=0.0)

    assert line.estimate().offset == pytest.approx(1.001, abs=1e-6)
    assert line.clocks.jumps == 0


def test_the_best_exchange_is_forgotten_after_the_window() -> None:
    line = Line(window=30)
    line.exchange(there=0.002, back=0.0)
    line.now += 20
    line.exchange(there=0.1, back=0.0)
    line.now += 5
    line.exchange(there=0.3, back=0.0)
    assert line.estimate().offset == pytest.approx(0.001, abs=1e-6)

    line.now += 10
    line.exchange(there=0.3, back=0.0)

    assert line.estimate().offset == pytest.approx(0.05, abs=1e-6)


def test_without_new_exchanges_the_error_grows() -> None:
    line = Line(ahead=2.0)
    line.exchange()
    before = line.estimate()
    line.now += 100

    assert line.estimate().offset == before.offset
    assert line.estimate().error == pytest.approx(before.error + 100 * DRIFT)


def test_an_old_exchange_is_as_inexact_as_it_is_old() -> None:
    young, old = ClockOffset(), ClockOffset()
    exchange = Exchange(sent=NOON, received=NOON, replied=NOON, seen=NOON + 0.002)
    young.add(exchange)
    old.add(exchange, age=60)

    errors = [estimate.error for each in (young, old) if (estimate := each.estimate())]
    assert errors[1] - errors[0] == pytest.approx(60 * DRIFT, abs=1e-3)


@pytest.mark.parametrize("step", [0.05, -0.05, 5.0, -5.0])
def test_a_clock_that_was_set_is_known_with_the_next_exchange(step: float) -> None:
    line = Line(ahead=1.0)
    for _ in range(10):
        line.exchange()
    line.ahead += step
    line.exchange(there=0.01, back=0.01)

    assert line.clocks.jumps == 1
    assert line.estimate().offset == pytest.approx(1.0 + step, abs=0.011)
    line.exchange()
    assert line.clocks.jumps == 1


def test_a_clock_that_is_slewed_has_not_been_set() -> None:
    line = Line()
    for _ in range(2000):
        line.exchange(there=0.0001, back=0.0001)
        line.now += 0.04
        line.ahead += 0.04 * DRIFT * 0.99

    assert line.clocks.jumps == 0
    assert abs(line.estimate().offset - line.ahead) <= line.estimate().error


@pytest.mark.parametrize(
    ("received", "replied", "seen"),
    [
        pytest.param(0.0, 0.0, -0.1, id="an answer before the question"),
        pytest.param(0.0, -0.1, 0.1, id="a reply before the request"),
        pytest.param(0.0, 0.5, 0.1, id="longer there than in all"),
    ],
)
def test_what_cannot_have_been_is_ignored_and_counted(
    received: float, replied: float, seen: float
) -> None:
    clocks = ClockOffset()
    clocks.add(
        Exchange(sent=NOON, received=NOON + received, replied=NOON + replied, seen=NOON + seen)
    )

    assert clocks.estimate() is None
    assert (clocks.absurd, clocks.jumps) == (1, 0)


def test_a_long_answer_by_a_faster_clock_is_not_absurd() -> None:
    clocks = ClockOffset()
    clocks.add(Exchange(sent=NOON, received=NOON, replied=NOON + 60.003, seen=NOON + 60))

    assert clocks.absurd == 0
    assert clocks.estimate() is not None


@given(
    ahead=st.floats(-1e6, 1e6),
    drift=st.floats(-DRIFT, DRIFT),
    exchanges=st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 60), st.floats(0, 2), st.floats(0, 60)),
        min_size=1,
        max_size=30,
    ),
)
def test_the_truth_is_always_within_the_error(
    ahead: float, drift: float, exchanges: list[tuple[float, float, float, float]]
) -> None:
    line = Line(ahead=ahead)
    for there, work, back, pause in exchanges:
        line.exchange(there=there, work=work, back=back)
        line.now += pause
        line.ahead += drift * (there + work + back + pause)

    estimate = line.estimate()
    assert abs(estimate.offset - line.ahead) <= estimate.error
    assert (line.clocks.jumps, line.clocks.absurd) == (0, 0)
