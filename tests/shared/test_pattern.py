from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import codec, pattern


@given(number=st.integers(0, 2**32 - 1), micros=st.integers(0, 2**53))
def test_what_is_drawn_can_be_read(number: int, micros: int) -> None:
    mark = pattern.read(pattern.draw(number, 160, 120, micros / 1e6))

    assert mark is not None
    assert mark.number == number
    assert mark.time == pytest.approx(micros / 1e6, abs=2e-6)


@pytest.mark.parametrize("size", [(160, 120), (640, 360), (1280, 720)])
def test_the_mark_survives_a_poor_jpeg_and_half_the_size(size: tuple[int, int]) -> None:
    image = codec.decode(codec.encode(pattern.draw(77, *size, 5.0), 25))
    half = cv2.resize(image, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)

    for seen in (image, half.astype(np.uint8)):
        assert pattern.read(seen) == pattern.Mark(77, 5.0)


def test_a_damaged_or_foreign_picture_has_no_mark() -> None:
    image = pattern.draw(77, 640, 360)
    image[:20, :20] = 255 - image[:20, :20]

    assert pattern.read(image) is None
    assert pattern.read(np.zeros((10, 10, 3), np.uint8)) is None


def test_the_picture_moves() -> None:
    one, two = pattern.draw(1, 640, 360, 0.0), pattern.draw(9, 640, 360, 0.0)

    assert (one[180:] != two[180:]).any()
