from __future__ import annotations

from itertools import islice

import pytest

from benchmarks.measuring import spots
from shared import pattern


@pytest.mark.parametrize(
    ("width", "height"), [(64, 48), (160, 120), (1280, 720), (1366, 768), (1920, 1080)]
)
def test_spots_are_read_as_a_mark_is(width: int, height: int) -> None:
    image = pattern.draw(1, width, height)

    spots.mark(image, 4_000_000_000, 1_700_000_000.123456)

    assert pattern.read(image) == pattern.Mark(4_000_000_000, 1_700_000_000.123456)


def test_each_picture_has_the_next_number() -> None:
    images = [pattern.draw(n, 160, 120) for n in range(2)]

    marks = [pattern.read(image) for image in islice(spots.endless(images), 5)]

    assert [mark.number for mark in marks if mark] == [0, 1, 2, 3, 4]
