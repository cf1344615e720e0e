"""Which cause is named, by how far it came and what was said."""

from __future__ import annotations

import errno
from typing import get_args

import pytest

from sender.check.diagnosis import Cause, diagnose
from sender.check.findings import Findings
from sender.sources.contract import Reason, SourceError
from sender.sources.events import Answered, Connected, Event, Offered, Unit
from sender.sources.trouble import explain

OFFER = Offered("direct", "H264", clock_rate=90_000)
UNIT = Unit(100, True, 1.0)


def found(*events: Event) -> Findings:
    findings = Findings(0.0)
    for event in events:
        findings.observe(event)
    return findings


def cause(trouble: SourceError, *events: Event, scheme: str = "rtsp") -> Cause:
    said = diagnose(trouble, found(*events), scheme=scheme, transport="tcp", has_login=True)
    silent_causes = ("here", "stopped")
    assert (not said.hints) == (said.cause in silent_causes)
    return said.cause


def trouble(reason: Reason, text: str = "cam: it went wrong") -> SourceError:
    return SourceError(text, reason=reason)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), "unreachable"),
        ((Connected(),), "silent"),
        ((Connected(), Answered(200)), "silent"),
        ((Connected(), Answered(200), OFFER), "no_packets"),
        ((Connected(), Answered(200), OFFER, UNIT), "no_picture"),
    ],
)
def test_a_time_out_means_what_it_came_to(events: tuple[Event, ...], expected: Cause) -> None:
    assert cause(trouble("timeout"), *events) == expected


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH])
def test_a_network_that_leads_nowhere_is_told_from_a_closed_port(number: int) -> None:
    assert cause(explain(OSError(number, "no way"), "cam")) == "unreachable"
    assert cause(explain(ConnectionRefusedError(), "cam")) == "refused"


@pytest.mark.parametrize(
    ("status", "expected"), [(453, "busy"), (429, "busy"), (503, "busy"), (461, "transport")]
)
def test_what_the_server_said_counts_before_the_reason(status: int, expected: Cause) -> None:
    assert cause(trouble("format"), Connected(), Answered(status)) == expected


@pytest.mark.parametrize("reason", ["dns", "auth", "not_found", "ended"])
def test_a_reason_that_says_it_all_is_the_cause(reason: Reason) -> None:
    assert cause(trouble(reason)) == reason


def test_what_is_at_this_machine_has_no_network() -> None:
    assert cause(trouble("not_found"), scheme="") == "here"


def test_every_cause_can_be_told() -> None:
    for reason in get_args(Reason):
        for scheme in ("rtsp", "http", "udp", ""):
            cause(trouble(reason), scheme=scheme)


def test_a_user_who_is_not_let_in_learns_what_is_asked_for() -> None:
    said = diagnose(
        trouble("auth"),
        found(Answered(401, schemes=("digest", "basic"))),
        scheme="rtsp",
        transport="tcp",
        has_login=False,
    )

    assert "digest or basic" in said.hints[0]
