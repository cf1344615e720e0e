from __future__ import annotations

from datetime import datetime

import pytest

from receiver.recording.schedule import Schedule


def is_on(words: list[str], time: str) -> bool:
    return Schedule.parse(words).is_on(datetime.fromisoformat(f"2026-11-21T{time}"))


@pytest.mark.parametrize(
    ("words", "time", "expected"),
    [
        (["always"], "03:00:00", True),
        (["event"], "03:00:00", False),
        (["08:00-18:30"], "07:59:59", False),
        (["08:00-18:30"], "08:00:00", True),
        (["08:00-18:30"], "18:29:59", True),
        (["08:00-18:30"], "18:30:00", False),
        (["22:00-06:00"], "23:00:00", True),
        (["22:00-06:00"], "05:59:00", True),
        (["22:00-06:00"], "12:00:00", False),
        (["20:00-24:00"], "23:59:59", True),
        (["1:00-2:00", "5:00-6:00", "event"], "05:30:00", True),
        (["1:00-2:00", "5:00-6:00", "event"], "03:30:00", False),
    ],
)
def test_cameras_are_recorded_in_the_times_that_are_named(
    words: list[str], time: str, *, expected: bool
) -> None:
    assert is_on(words, time) is expected


@pytest.mark.parametrize("word", ["", "8-9", "08:00", "08:60-09:00", "25:00-26:00", "8:00-8:00"])
def test_what_is_no_time_is_named(word: str) -> None:
    with pytest.raises(ValueError, match=r"expected always, event or HH:MM-HH:MM, got '.*'"):
        Schedule.parse(["always", word])


def test_events_count_only_where_they_are_asked_for() -> None:
    assert Schedule.parse(["08:00-09:00", "event"]).event
    assert not Schedule.parse(["08:00-09:00"]).event
