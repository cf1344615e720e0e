from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from shared.retry_after import read_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("3", 3, id="seconds"),
        pytest.param(" 3 ", 3, id="spaces"),
        pytest.param("0", 0, id="none at all"),
        pytest.param("100000", 60, id="too many"),
        pytest.param("9" * 400, 60, id="a number beyond floats"),
        pytest.param("-7", 0, id="the past"),
        pytest.param("soon", 0, id="garbage"),
        pytest.param("٣", 0, id="no ASCII"),
        pytest.param("", 0, id="empty"),
        pytest.param(None, 0, id="absent"),
        pytest.param(formatdate(0, usegmt=True), 0, id="a past date"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 60, id="a date far away"),
    ],
)
def test_it_is_seconds_within_bounds(value: str | None, seconds: float) -> None:
    assert read_retry_after(value) == seconds


def test_a_date_near_by_is_waited_for() -> None:
    assert 8 < read_retry_after(formatdate(time.time() + 10, usegmt=True)) <= 10
