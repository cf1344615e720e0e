from __future__ import annotations

import pytest

from shared.amount import parse_age, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20GB", 20 * 10**9), ("1.5 TB", 1.5 * 10**12), ("500mb", 5 * 10**8), ("12kB", 12000),
     ("7B", 7),
     ("1G", 10**9), ("2k", 2000)],
)  # fmt: skip
def test_sizes(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("7d", 604800), ("12h", 43200), ("90m", 5400), ("2w", 1209600)]
)
def test_ages(text: str, expected: float) -> None:
    assert parse_age(text) == expected


@pytest.mark.parametrize("text", ["20", "GB", "-1GB", "0GB", "1e3GB", "1 EB", "nan h", "٣GB"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a size such as 500MB, 20GB or 1\.5TB, got"):
        parse_size(text)
