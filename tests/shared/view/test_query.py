from __future__ import annotations

import pytest

from shared.view.query import Query, QueryError, read_query
from shared.view.renditions import Wish


def test_nothing_wished_is_every_raw_picture_untouched() -> None:
    assert read_query({"t": "1700000000"}) == Query("raw", Wish(), None)


def test_every_wish_is_read() -> None:
    query = read_query(
        {"view": "annotated", "width": "640", "height": "480", "quality": "70", "fps": "12.5"}
    )

    assert query == Query("annotated", Wish(width=640, height=480, quality=70), 12.5)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("view", "drawn", "raw or annotated"),
        ("view", "", "raw or annotated"),
        ("width", "0", "a whole number from 1 to 16384"),
        ("width", "-5", "a whole number from 1 to 16384"),
        ("width", "16385", "a whole number from 1 to 16384"),
        ("height", "1e3", "a whole number from 1 to 16384"),
        ("height", "٣", "a whole number from 1 to 16384"),
        ("height", "9" * 5000, "a whole number from 1 to 16384"),
        ("quality", "101", "a whole number from 1 to 100"),
        ("quality", "high", "a whole number from 1 to 100"),
        ("fps", "0", "a number from 0.1 to 240"),
        ("fps", "nan", "a number from 0.1 to 240"),
        ("fps", "inf", "a number from 0.1 to 240"),
        ("fps", "fast", "a number from 0.1 to 240"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected_and_what_came(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(QueryError) as caught:
        read_query({name: value})

    assert str(caught.value) == f"{name}: expected {expected}, got {value[:80]!r}"
