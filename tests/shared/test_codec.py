from __future__ import annotations

import numpy as np
import pytest

from shared import codec, pattern
from shared.errors import FrameError


def test_pixels_survive_a_round_trip() -> None:
    image = pattern.draw(3, 320, 240, 1.0)
    back = codec.decode(codec.encode(image, 95))

    assert back.shape == image.shape
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - image).mean() < 3


def test_full_range_planes_become_the_same_picture() -> None:
    y = np.full((16, 16), 76, np.uint8)
    u, v = np.full((8, 8), 85, np.uint8), np.full((8, 8), 255, np.uint8)

    red = codec.decode(codec.encode_planes(y, u, v, 95))

    assert np.abs(red.astype(int) - [0, 0, 255]).max() < 8


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_a_reduced_picture_has_the_fraction_of_the_size(factor: int) -> None:
    jpeg = codec.encode(pattern.draw(3, 640, 480), 80)

    assert codec.decode_reduced(jpeg, factor).shape == (480 // factor, 640 // factor, 3)


def test_a_picture_that_does_not_decode_is_a_frame_error() -> None:
    with pytest.raises(FrameError, match="does not decode"):
        codec.decode(b"\xff\xd8\xff\xd9")
