from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.traceparent import TraceParent

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_place_is_what_its_text_says() -> None:
    place = TraceParent.parse(GOOD)

    assert place == TraceParent(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, True)
    assert str(place) == GOOD


@pytest.mark.parametrize(("flags", "is_sampled"), [("00", False), ("01", True), ("ff", True)])
def test_of_the_flags_the_first_bit_counts(flags: str, is_sampled: bool) -> None:
    place = TraceParent.parse(GOOD[:-2] + flags)

    assert place is not None
    assert place.is_sampled is is_sampled


def test_a_later_version_may_say_more() -> None:
    assert TraceParent.parse("cc" + GOOD[2:] + "-what-the-future-brings") is not None


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "x", GOOD[:-1], GOOD + "0", GOOD.upper(), GOOD + "-more", " " + GOOD),
        "ff" + GOOD[2:],
        GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        GOOD.replace("00f067aa0ba902b7", "0" * 16),
        GOOD.replace("4b", "４b"),
        "cc" + GOOD[2:] + "-" + "x" * 300,
    ],
)
def test_what_is_malformed_is_ignored(text: str | None) -> None:
    assert TraceParent.parse(text) is None


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    TraceParent.parse(text)


def test_a_child_is_of_the_same_trace() -> None:
    parent = TraceParent.begin()
    child = parent.child()

    assert child.trace_id == parent.trace_id
    assert child.span_id != parent.span_id
    assert TraceParent.parse(str(child)) == child
    assert TraceParent(1, 2, False).child().is_sampled is False
