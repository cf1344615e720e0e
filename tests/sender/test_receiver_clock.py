from __future__ import annotations

import pytest

from sender.receiver_clock import ReceiverClock
from shared import wire
from shared.clock import Exchange

NOON = 1_700_000_000.0


class Machine:
    """A sender's two clocks, and those of a receiver `ahead` seconds ahead of it."""

    def __init__(self, *, ahead: float = 0.0) -> None:
        self.monotonic = 100.0
        self.unix = NOON
        self.ahead = ahead
        self.clock = ReceiverClock(clock=lambda: self.monotonic, unix=lambda: self.unix)

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.unix += seconds

    def set_clock(self, step: float) -> None:
        self.unix += step
        self.ahead -= step

    def post(self, *, captured: float = 100.0) -> wire.Envelope:
        """Send a frame, one millisecond each way; return what the receiver reads."""
        headers: dict[str, str] = {}
        sent = self.clock.stamp(headers, captured)
        self.pass_by(0.001)
        received = self.unix + self.ahead
        reply = {
            wire.RECEIVED_AT: wire.format_time(received),
            wire.REPLIED_AT: wire.format_time(received),
        }
        self.pass_by(0.001)
        self.clock.heard(reply, sent)
        return wire.from_headers(headers)

    def offset(self) -> float:
        estimate = self.clock.offset.estimate()
        assert estimate is not None
        return estimate.offset


def test_a_request_says_when_its_frame_was_captured_and_sent() -> None:
    machine = Machine()
    machine.pass_by(2.0)

    envelope = machine.post(captured=100.5)

    assert (envelope.captured_at, envelope.sent_at) == (NOON + 0.5, NOON + 2.0)
    assert envelope.exchange is None


def test_each_exchange_is_told_once_with_the_next_request() -> None:
    machine = Machine(ahead=5.0)
    machine.post()
    machine.pass_by(1.0)

    assert machine.post().exchange == Exchange(
        sent=NOON, received=NOON + 5.001, replied=NOON + 5.001, seen=NOON + 0.002
    )
    headers: dict[str, str] = {}
    machine.clock.stamp(headers, 100.0)
    assert wire.LAST_EXCHANGE in headers
    machine.clock.stamp(headers := {}, 100.0)
    assert wire.LAST_EXCHANGE not in headers


def test_the_receiver_s_clock_is_known_from_the_first_reply() -> None:
    machine = Machine(ahead=-5.0)
    machine.post()

    assert machine.offset() == pytest.approx(-5.0, abs=1e-5)


@pytest.mark.parametrize("step", [5.0, -5.0, 3e8])
def test_all_times_of_a_request_are_by_the_clock_as_it_stands(step: float) -> None:
    machine = Machine()
    machine.post()
    captured = machine.monotonic
    machine.pass_by(0.25)
    machine.set_clock(step)

    envelope = machine.post(captured=captured)

    assert envelope.sent_at is not None
    assert envelope.captured_at is not None
    assert envelope.exchange is not None
    assert envelope.sent_at - envelope.captured_at == pytest.approx(0.25, abs=2e-3)
    assert envelope.exchange.offset == pytest.approx(-step, abs=2e-3)
    assert envelope.exchange.round_trip == pytest.approx(0.002, abs=2e-3)
    assert machine.clock.offset.jumps == 1
    assert machine.offset() == pytest.approx(-step, abs=2e-3)


def test_a_clock_that_is_set_while_a_reply_is_awaited_makes_no_absurd_exchange() -> None:
    machine = Machine()
    sent = machine.clock.stamp({}, 100.0)
    machine.pass_by(0.001)
    received = wire.format_time(machine.unix)
    machine.set_clock(-5.0)
    machine.pass_by(0.001)
    machine.clock.heard({wire.RECEIVED_AT: received, wire.REPLIED_AT: received}, sent)

    assert machine.clock.offset.absurd == 0
    assert machine.offset() == pytest.approx(5.0, abs=2e-3)


def test_a_clock_that_is_set_is_told_before_the_next_reply_is_here() -> None:
    machine = Machine()
    machine.post()
    machine.clock.stamp({}, 100.0)  # a frame that tells of it; its reply is slow
    machine.set_clock(-3600.0)

    # Each says so, for one may overtake the other.
    for _ in range(2):
        headers: dict[str, str] = {}
        machine.clock.stamp(headers, 100.0)
        exchange = wire.from_headers(headers).exchange
        assert exchange is not None
        assert exchange.received - exchange.sent == pytest.approx(3600.001)

    machine.post()
    machine.clock.stamp({}, 100.0)
    machine.clock.stamp(headers := {}, 100.0)
    assert wire.LAST_EXCHANGE not in headers


def test_an_interruption_between_two_readings_is_no_clock_that_was_set() -> None:
    machine = Machine()

    def interrupted() -> float:
        now = machine.unix
        machine.pass_by(0.3)
        return now

    clock = ReceiverClock(clock=lambda: machine.monotonic, unix=lambda: machine.unix)
    clock._unix = interrupted
    sent = []
    for _ in range(3):
        headers: dict[str, str] = {}
        clock.stamp(headers, 100.0)
        sent.append(headers[wire.CAPTURED_AT])

    assert set(sent) == {wire.format_time(NOON)}


def test_a_receiver_that_says_no_times_teaches_nothing() -> None:
    machine = Machine()
    sent = machine.clock.stamp({}, 100.0)
    machine.clock.heard({wire.RECEIVED_AT: "noon", wire.REPLIED_AT: "one"}, sent)
    machine.clock.heard({}, sent)

    assert machine.clock.offset.estimate() is None
    assert machine.post().exchange is None
