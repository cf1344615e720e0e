from __future__ import annotations

import pytest

from receiver.sender_clock import DayStart, SenderClock, read_day_start
from shared.clock import Exchange
from shared.wire import Envelope

NOON = 1_700_000_000.0


def told(ahead: float, *, way: float = 0.001, **times: float) -> Envelope:
    """Return an envelope with an exchange with a sender of which we are `ahead` seconds ahead."""
    there = NOON + ahead + way
    return Envelope(
        **times,  # type: ignore[arg-type]
        exchange=Exchange(sent=NOON, received=there, replied=there, seen=NOON + 2 * way),
    )


def test_while_nothing_is_known_both_clocks_are_taken_for_right() -> None:
    clock = SenderClock()

    assert clock.offset_of(Envelope(), NOON) == 0
    assert clock.offset_of(Envelope(captured_at=NOON - 5, sent_at=NOON - 1), NOON) == 0
    assert clock.facts() == {
        "offset_ms": None,
        "error_ms": None,
        "jumps": 0,
        "skew": 0,
        "absurd": 0,
    }


@pytest.mark.parametrize("ahead", [5.0, -5.0])
def test_the_exchange_tells_the_offset_of_the_frame_it_comes_with(ahead: float) -> None:
    clock = SenderClock()
    sent = NOON + 1
    envelope = told(ahead, captured_at=sent - 0.1, sent_at=sent)

    offset = clock.offset_of(envelope, sent + ahead + 0.002)

    assert offset == pytest.approx(ahead, abs=1e-5)
    assert clock.facts()["offset_ms"] == pytest.approx(ahead * 1000, abs=0.01)
    assert 1 <= clock.facts()["error_ms"] < 3
    assert clock.skewed == 0


def test_what_is_known_holds_for_frames_that_tell_nothing() -> None:
    clock = SenderClock()
    clock.offset_of(told(5.0), NOON + 6)

    assert clock.offset_of(Envelope(captured_at=NOON), NOON + 6) == pytest.approx(5.0, abs=1e-5)


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(Envelope(captured_at=NOON + 4, sent_at=NOON + 5), id="sent later"),
        pytest.param(Envelope(captured_at=NOON + 5), id="captured later"),
        pytest.param(Envelope(captured_at=NOON + 5, sent_at=NOON), id="captured after it was sent"),
    ],
)
def test_nothing_arrives_before_it_was_sent(envelope: Envelope) -> None:
    clock = SenderClock()

    assert clock.offset_of(envelope, NOON) == -5
    assert clock.skewed == 1


def test_a_frame_that_was_faster_than_the_estimate_is_no_skew() -> None:
    clock = SenderClock()
    clock.offset_of(told(0.0, way=0.1), NOON + 1)
    sent = NOON + 2 + 0.08

    assert clock.offset_of(Envelope(sent_at=sent), NOON + 2) == pytest.approx(-0.08)
    assert clock.skewed == 0


def test_what_was_long_ago_is_less_exact() -> None:
    errors = []
    for later in (0, 60):
        clock = SenderClock()
        clock.offset_of(told(5.0), NOON + 5 + later)
        errors.append(clock.facts()["error_ms"])

    assert errors[1] - errors[0] == pytest.approx(30, abs=1)


def test_a_sender_whose_clock_was_set_is_known_by_its_next_exchange() -> None:
    clock = SenderClock()
    clock.offset_of(told(0.0), NOON + 1)
    clock.offset_of(told(7.0), NOON + 9)

    assert clock.offset_of(Envelope(), NOON + 9) == pytest.approx(7.0, abs=1e-5)
    assert clock.facts()["jumps"] == 1


@pytest.mark.parametrize("step", [3600.0, -3600.0, 5.0])
def test_a_frame_that_was_overtaken_by_the_news_of_a_set_clock_keeps_its_age(step: float) -> None:
    clock = SenderClock()
    clock.offset_of(told(0.0, sent_at=NOON + 1), NOON + 1)
    # The sender's clock is set `step` seconds ahead; what it sent before is read after the next.
    news = told(-step, sent_at=NOON + step + 2)
    assert clock.offset_of(news, NOON + 2) == pytest.approx(-step, abs=1e-4)

    late = told(0.0, captured_at=NOON + 1.9, sent_at=NOON + 1.95)
    assert clock.offset_of(late, NOON + 2.01) == pytest.approx(0, abs=1e-3)
    following = Envelope(captured_at=NOON + step + 2.0, sent_at=NOON + step + 2.01)
    assert clock.offset_of(following, NOON + 2.02) == pytest.approx(-step, abs=1e-4)
    assert clock.facts()["jumps"] == 1
    assert clock.skewed == 0


def test_an_absurd_exchange_is_counted() -> None:
    clock = SenderClock()
    clock.offset_of(told(0.0, way=-1.0), NOON)

    assert clock.facts()["absurd"] == 1
    assert clock.facts()["offset_ms"] is None


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_when_our_own_clock_is_set_the_next_frame_is_of_the_right_age(step: float) -> None:
    day_start = DayStart(1e9, 1e-6)
    clock = SenderClock(day_start=lambda: day_start)
    clock.offset_of(told(5.0), NOON + 5)
    day_start = DayStart(1e9 + step, 1e-6)
    frame = Envelope(captured_at=NOON + 1.0, sent_at=NOON + 1.1)

    assert clock.offset_of(frame, NOON + 6.2 + step) == pytest.approx(5.0 + step, abs=1e-3)
    # It reports of an exchange from before, which is no reason to believe the former clock again.
    late = told(5.0, captured_at=NOON + 1.2, sent_at=NOON + 1.3)
    assert clock.offset_of(late, NOON + 6.4 + step) == pytest.approx(5.0 + step, abs=1e-3)
    assert clock.facts()["jumps"] == 1
    assert clock.skewed == 0


def test_a_clock_that_is_slewed_or_read_late_is_not_taken_for_set() -> None:
    readings = iter((DayStart(1e9, 1e-6), DayStart(1e9 + 0.05, 1e-6), DayStart(1e9 + 2.0, 3.0)))
    clock = SenderClock(day_start=lambda: next(readings))
    clock.offset_of(told(5.0), NOON + 5)
    clock.offset_of(Envelope(captured_at=NOON + 1), NOON + 7)

    assert clock.facts()["jumps"] == 0


def test_the_clocks_of_this_machine_keep_pace() -> None:
    first, second = read_day_start(), read_day_start()

    assert abs(second.ahead - first.ahead) <= 0.01 + first.error + second.error
