"""Overlay: what a hook found is drawn where it said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from shared.codec import Image
from tests.receiver.view.browser.seeing import (
    large,
    part,
    picture,
    shot,
    tile,
    unfade,
    until,
    within,
)
from tests.receiver.view.browser.stage import Stage

DOCUMENT = Path(__file__).parents[4] / "docs" / "results.md"
EXAMPLES = re.findall(r"## (.+?)\n.*?```json\n(.+?)```", DOCUMENT.read_text(), re.DOTALL)
WIDTH, HEIGHT = 640, 360

#: For each example of the document: what must be painted, and what must not, in pixels of the
#: frame (x, y).
PAINTED: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {
    "Boxes": ([(40, 100), (200, 150), (100, 200)], [(120, 150), (300, 150)]),
    "Objects": ([(40, 150), (200, 150), (120, 200), (400, 200)], [(120, 150), (300, 150)]),
    "Keypoints": ([(320, 80), (320, 120), (290, 200), (305, 160)], [(200, 120), (270, 100)]),
    "Outlines": ([(100, 200), (150, 150), (200, 250), (150, 200)], [(300, 200), (90, 100)]),
    "Masks": ([(412, 210), (402, 218)], [(437, 210), (500, 210), (412, 230)]),
    "Lines": ([(320, 250), (100, 250), (560, 80)], [(320, 200), (320, 300)]),
    "Texts": ([(14, 340)], [(14, 300), (320, 340)]),
}


def drawn(stage: Stage, page: Page, value: Any, *, width: int = WIDTH) -> Image:
    """Return the large picture, in pixels of the frame, with what is drawn for `value`."""
    page.set_viewport_size({"width": 1400, "height": 900})
    stage.finish(stage.plain(width=width), value=value)
    page.goto(stage.url)
    part(page, "open").click()
    until(lambda: large(page, "moment").text_content(), page)
    unfade(large(page, "stage"))
    return seen(page)


def seen(page: Page) -> Image:
    """Return the large picture, in pixels of the frame."""
    shown = within(picture(page))
    rows = ((np.arange(HEIGHT) + 0.5) * shown.shape[0] / HEIGHT).astype(int)
    columns = ((np.arange(WIDTH) + 0.5) * shown.shape[1] / WIDTH).astype(int)
    return shown[np.ix_(rows, columns)]


def is_painted(shown: Image, x: int, y: int) -> bool:
    """Tell whether anything but the grey picture is at, or next to, that pixel of the frame."""
    near = shown[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].astype(int)
    return bool((np.abs(near - 96).max(axis=2) > 25).any())


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_example_of_the_document_is_drawn_where_it_says(
    stage: Stage, page: Page, name: str, text: str
) -> None:
    painted, bare = PAINTED[name]

    shown = drawn(stage, page, json.loads(text))

    assert [at for at in painted if not is_painted(shown, *at)] == []
    assert [at for at in bare if is_painted(shown, *at)] == []


def test_every_example_is_looked_at() -> None:
    assert {name for name, _ in EXAMPLES} == set(PAINTED)


def test_a_box_has_its_colour_and_its_place_to_the_pixel(stage: Stage, page: Page) -> None:
    box = [100, 60, 200, 120]
    shown = drawn(stage, page, {"objects": [{"box": box, "color": "rgb(255, 0, 0)"}]})

    red = (shown[..., 2] > 180) & (shown[..., 1] < 90) & (shown[..., 0] < 90)
    rows, columns = np.where(red.any(axis=1))[0], np.where(red.any(axis=0))[0]
    found = [columns[0], rows[0], columns[-1] - columns[0], rows[-1] - rows[0]]
    assert np.abs(np.array(found) - box).max() <= 3


def test_a_result_of_a_smaller_picture_is_drawn_to_the_cameras_own_frame(
    stage: Stage, page: Page
) -> None:
    page.set_viewport_size({"width": 1200, "height": 900})
    for n in range(2, 8):  # many tiles: the pictures are asked for smaller than they are
        stage.plain(camera=f"cam{n}", width=1280)
    camera = stage.plain(width=1280)
    # The right half of the camera's frame.
    mask = {"box": [640, 0, 640, 720], "rle": [0, 640 * 720]}
    stage.finish(camera, value={"objects": [{"mask": mask, "color": "#00ff00"}]})
    page.goto(stage.url)
    canvas = part(page, "canvas")
    unfade(tile(page))
    until(lambda: shot(canvas)[:, -20:, 1].mean() > 140, page)

    shown = shot(canvas).astype(int)
    middle = shown.shape[1] // 2
    assert np.abs(shown[20:-20, 10 : middle - 4] - 96).max() < 12
    assert shown[20:-20, middle + 4 : -10, 1].min() > 140
    assert canvas.evaluate("(canvas) => canvas.width") < 1280


def test_the_overlay_is_switched_off_and_stays_so(stage: Stage, page: Page) -> None:
    value = {"boxes": [[100, 60, 200, 120]]}
    assert is_painted(drawn(stage, page, value), 100, 120)

    page.keyboard.press("o")
    until(lambda: np.abs(within(picture(page))[200:400].astype(int) - 96).max() < 20, page)
    page.reload()

    expect(page.locator("[data-is=wall-overlay]")).to_have_attribute("aria-pressed", "false")


def test_the_result_belongs_to_the_very_picture_it_is_drawn_on(stage: Stage, page: Page) -> None:
    stage.finish(stage.plain(), value={"boxes": [[100, 60, 200, 120]]})
    page.goto(stage.url)
    part(page, "open").click()
    until(lambda: large(page, "moment").text_content(), page)
    unfade(large(page, "stage"))
    until(lambda: np.ptp(within(picture(page))[200:400]) > 100, page)

    # A newer frame without a result yet changes nothing; its result brings its own picture.
    stage.plain(seq=2)
    page.wait_for_timeout(300)
    assert np.ptp(within(picture(page))[200:400]) > 100
    camera = stage.hub.get("cam1")
    assert camera is not None
    stage.finish(camera, value={})
    until(lambda: np.ptp(within(picture(page))[200:400]) < 20, page)


MALFORMED = [
    7,
    "boxes",
    [[1, 2, 3, 4]],
    {"boxes": 5, "objects": "x", "lines": {}, "texts": None},
    {"boxes": [[1, 2, 3], [None, 1, 2, 3], ["a", 1, 2, 3], {}, None, [1, 2, 3, 1e999]]},
    {"objects": [None, 1, [], {"box": "x"}, {"polygon": [[1], [2]]}, {"keypoints": [1, [2]]}]},
    {"objects": [{"mask": 5}, {"mask": {"box": [0, 0, 9e9, 9e9], "rle": [1, 2]}}]},
    {"objects": [{"mask": {"box": [0, 0, 8, 8], "rle": [-1, "x"]}, "skeleton": [[0, 99]]}]},
    {"lines": [{"points": []}, {"points": [[0, 0]]}, {"points": "x"}, None]},
    {"texts": [{"text": 5, "at": [1, 2]}, {"text": "x"}, {"text": "x", "at": [1]}]},
]


def test_what_is_malformed_is_left_out_and_the_rest_drawn(stage: Stage, page: Page) -> None:
    drawn(stage, page, None)
    for seq, malformed in enumerate(MALFORMED, start=2):
        value: Any = json.loads(json.dumps(malformed).replace("Infinity", "1e308"))
        if isinstance(value, dict):
            boxes = value.get("boxes")
            wrong = boxes if isinstance(boxes, list) else []
            value = {**value, "boxes": [*wrong, [300, 200, 50, 50]]}
        stage.finish(stage.plain(seq=seq), value=value)
        expect(large(page, "moment")).to_contain_text(f"frame {seq}")
        shown = seen(page)

        assert is_painted(shown, 300, 225) == isinstance(value, dict), malformed
        assert not is_painted(shown, 500, 300), malformed


def test_an_endless_result_is_drawn_in_part_and_harms_nothing(stage: Stage, page: Page) -> None:
    many = [[n % 200, n % 300, 5, 5] for n in range(2_000)]
    shown = drawn(stage, page, {"boxes": [*many, *[[500, 200, 50, 50]] * 3_000]})

    assert is_painted(shown, 3, 0)
    assert not is_painted(shown, 500, 225)
