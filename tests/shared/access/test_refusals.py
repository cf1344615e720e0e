"""Of refusals little is said, however many there are."""

from __future__ import annotations

import pytest

from shared.access.refusals import Refusals
from tests.shared.access.clock import Clock


def test_an_address_is_told_of_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock=clock)
    for _ in range(119):
        refusals.happened("10.0.0.1", "missing", "GET '/': got none")
        clock.now += 1

    assert caplog.messages == ["access: refused 10.0.0.1: GET '/': got none"] * 2


def test_a_crowd_of_addresses_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock=clock)
    for number in range(5000):
        refusals.happened(f"address {number}", "unknown", "no")
    assert len(caplog.messages) == 20

    clock.now += 60
    refusals.happened("address 4999", "unknown", "no")
    assert len(caplog.messages) == 21


def test_each_refusal_is_counted_under_its_reason_told_or_not() -> None:
    refusals = Refusals(clock=Clock())
    for _ in range(3):
        refusals.happened("10.0.0.1", "unknown", "no")
    refusals.happened("10.0.0.1", "missing", "no", quiet=True)

    (metric,) = refusals.collect()
    counts = {
        sample.labels["reason"]: sample.value
        for sample in metric.samples
        if sample.name == "framepost_refused_access_total"
    }
    assert {reason: count for reason, count in counts.items() if count} == {
        "unknown": 3,
        "missing": 1,
    }
    assert counts["host"] == 0
    assert metric.documentation == "Requests that were refused for want of a token or a right"


def test_each_address_waits_for_its_own_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock=clock)
    for passed, address in [(0, "first"), (30, "second"), (30, "second"), (0, "first")]:
        clock.now += passed
        refusals.happened(address, "unknown", "no")

    assert [message.split()[2] for message in caplog.messages] == ["first:", "second:", "first:"]
