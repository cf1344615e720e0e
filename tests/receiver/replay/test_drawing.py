"""What a hook found is drawn where it says; what it says in another form is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from receiver.replay.drawing import Drawing
from receiver.result import Result
from shared import codec
from shared.codec import Image
from shared.frame import EncodedFrame


@pytest.fixture
def frame() -> EncodedFrame:
    black = np.zeros((240, 320, 3), np.uint8)
    return EncodedFrame(
        camera="cam1",
        epoch="e",
        seq=0,
        captured_at=0.0,
        data=codec.encode(black, 90),
        width=320,
        height=240,
    )


def result(frame: EncodedFrame, value: Any) -> Result:
    return Result(
        frame=frame, state="processed", value=value, picture=frame, queue=0, decode=0, hook=0
    )


def draw(frame: EncodedFrame, value: Any) -> Image:
    return codec.decode(Drawing(95).develop(result(frame, value)).picture.data)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ({"objects": [{"box": [50, 60, 100, 80]}]}, (60, 100)),
        ({"objects": [{"keypoints": [[50, 60], [90, 60, 0.5]], "skeleton": [[0, 1]]}]}, (60, 70)),
        ({"objects": [{"polygon": [[50, 60], [150, 60], [150, 160]]}]}, (60, 100)),
        ({"objects": [{"mask": {"box": [50, 60, 40, 30], "rle": [0, 1200]}}]}, (70, 60)),
        ({"boxes": [[50, 60, 100, 80]]}, (140, 100)),
        ({"lines": [{"points": [[50, 60], [150, 60]], "color": "#fff"}]}, (60, 100)),
    ],
)
def test_each_form_is_drawn_at_its_place(
    frame: EncodedFrame, value: dict[str, Any], at: tuple[int, int]
) -> None:
    image = draw(frame, value)

    assert image[at].max() > 50
    assert image[200:, 200:].max() < 30


def test_words_and_colours_are_drawn(frame: EncodedFrame) -> None:
    image = draw(frame, {"texts": [{"text": "Tür 1", "at": [20, 100], "color": "#ff0000"}]})

    blue, green, red = image[80:105, 15:100].reshape(-1, 3).max(axis=0)
    assert red > 180
    assert max(blue, green) < 90


def test_the_rows_of_a_mask_fill_its_box_and_may_stick_out_of_the_picture(
    frame: EncodedFrame,
) -> None:
    # The right half of a box whose left half is outside.
    runs = [20, 20] * 30

    image = draw(frame, {"objects": [{"mask": {"box": [-20, 230, 40, 30], "rle": runs}}]})

    assert image[235, 10].max() > 40
    assert image[235, 30].max() < 30


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        "x",
        [],
        {"box": [1, 2]},
        {"box": ["a", 1, 2, 3]},
        {"box": [float("inf"), 1, 2, 3]},
        {"box": [1e300, -1e300, 1e300, 5]},
        {"keypoints": [[1]], "skeleton": [[0, 9]]},
        {"polygon": [[1, 2], None]},
        {"mask": {"box": [0, 0, 1_000_000, 1_000_000], "rle": [1]}},
        {"mask": {"box": [0, 0, 10, 10], "rle": [5, -5, 10**9]}},
        {"mask": {"box": [0, 0, 10, 10], "rle": [2**62] * 4}},
        {"mask": {"box": [0, 0, 10, 10], "rle": "x"}},
        {"mask": 3},
    ],
)
def test_what_has_another_form_is_left_out_and_the_rest_is_drawn(
    frame: EncodedFrame, item: Any
) -> None:
    right = {"box": [50, 60, 100, 80]}

    image = draw(frame, {"objects": [item, right], "boxes": [item], "lines": item, "texts": 5})

    assert image[60, 100].max() > 50


def test_what_the_hook_drew_and_what_found_nothing_stay_as_they_are(frame: EncodedFrame) -> None:
    values: list[Any] = [None, 5, {}, {"objects": []}, {"motion": True}]
    for value in values:
        given = result(frame, value)
        assert Drawing(90).develop(given) is given
