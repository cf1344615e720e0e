"""The large view: one camera, its controls, and the keys."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
from playwright.sync_api import Page, expect

from shared import codec, pattern
from tests.receiver.view.browser.seeing import large, number, part, picture, shows, until
from tests.receiver.view.browser.stage import Stage


def opened(stage: Stage, page: Page, seq: int = 1) -> None:
    """Show cam1 with that number; what its hook drew has the number 1000 more."""
    camera = stage.publish(seq)
    stage.finish(camera, codec.encode(pattern.draw(seq + 1000, 320, 180), 90), value={"n": seq})
    page.goto(stage.url)
    part(page, "open").click()
    shows(page, picture(page), seq + 1000)


def test_a_click_shows_a_camera_large_and_escape_goes_back_to_where_it_was(
    stage: Stage, page: Page
) -> None:
    opened(stage, page)
    expect(large(page, "name")).to_have_text("cam1")
    # A busy machine may have taken its time.
    expect(large(page, "state")).to_have_text(re.compile("live|stale"))

    page.keyboard.press("Escape")

    expect(large(page)).to_be_hidden()
    expect(part(page, "open")).to_be_focused()
    stage.finish(stage.publish(2), codec.encode(pattern.draw(1002, 320, 180), 90), value=None)
    shows(page, part(page, "canvas"), 1002)


def test_raw_annotated_and_side_by_side(stage: Stage, page: Page) -> None:
    opened(stage, page)

    large(page).get_by_label("raw", exact=True).check()
    shows(page, picture(page, "raw"), 1)
    expect(picture(page)).to_be_hidden()
    page.keyboard.press("v")
    shows(page, picture(page, "raw"), 1)
    shows(page, picture(page), 1001)
    expect(large(page).get_by_label("side by side")).to_be_checked()
    page.keyboard.press("v")
    expect(picture(page, "raw")).to_be_hidden()
    shows(page, picture(page), 1001)


def test_a_held_picture_stays_and_says_so(stage: Stage, page: Page) -> None:
    opened(stage, page)
    page.keyboard.press(" ")
    expect(large(page, "state")).to_have_text("paused")
    expect(large(page, "over")).to_contain_text("paused · picture of")
    expect(large(page, "pause")).to_have_attribute("aria-pressed", "true")

    for seq in (2, 3):
        stage.finish(
            stage.publish(seq),
            codec.encode(pattern.draw(seq + 1000, 320, 180), 90),
            value={"n": seq},
        )
    expect(large(page, "result-text")).to_have_text('{"n":3}')
    assert number(picture(page)) == 1001

    large(page, "pause").click()
    stage.finish(stage.publish(4), codec.encode(pattern.draw(1004, 320, 180), 90), value=None)
    shows(page, picture(page), 1004)
    expect(large(page, "over")).to_be_hidden()


def test_a_snapshot_is_the_shown_picture_with_its_overlay_under_a_telling_name(
    stage: Stage, page: Page, tmp_path: Path
) -> None:
    camera = stage.plain(camera="gate", width=640)
    found = {"box": [100, 60, 200, 120], "color": "#00ff00"}
    stage.finish(camera, value={"objects": [found]})
    page.goto(stage.url)
    part(page, "open", "gate").click()
    until(lambda: large(page, "moment").text_content(), page)

    with page.expect_download() as waiting:
        page.keyboard.press("s")

    name = waiting.value.suggested_filename
    assert re.fullmatch(r"gate_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.png", name)
    waiting.value.save_as(tmp_path / name)
    saved = cv2.imread(str(tmp_path / name))
    assert saved is not None
    assert saved.shape == (360, 640, 3)
    assert saved[120, 100, 1] > 200  # the box's left side
    assert saved[120, 100, 0] < 60
    assert np.abs(saved[300, 500].astype(int) - 96).max() < 6


def test_a_snapshot_without_overlay_is_the_bare_picture(
    stage: Stage, page: Page, tmp_path: Path
) -> None:
    stage.finish(stage.plain(), value={"boxes": [[100, 60, 200, 120]]})
    page.goto(stage.url)
    part(page, "open").click()
    until(lambda: large(page, "moment").text_content(), page)
    page.keyboard.press("o")
    expect(large(page, "overlay")).to_have_attribute("aria-pressed", "false")

    with page.expect_download() as waiting:
        large(page, "snapshot").click()

    waiting.value.save_as(tmp_path / "bare.png")
    saved = cv2.imread(str(tmp_path / "bare.png"))
    assert saved is not None
    assert np.abs(saved.astype(int) - 96).max() < 6


def test_rate_and_quality_are_asked_of_the_receiver(stage: Stage, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(stage, page)
    wish = parse_qs(urlsplit(asked[-1]).query)
    assert wish["show"] == ["cam1;view=annotated"]
    assert "quality" not in wish
    assert "width" not in wish

    large(page, "fps").select_option("5")
    large(page, "quality").select_option("40")

    until(lambda: "quality=40" in asked[-1] and "fps=5" in asked[-1], page)
    wish = parse_qs(urlsplit(asked[-1]).query)
    assert 320 <= int(wish["width"][0]) <= 1280
    shows(page, picture(page), 1001)


def test_arrows_go_from_camera_to_camera(stage: Stage, page: Page) -> None:
    for n in (1, 2, 3):
        stage.publish(n, camera=f"cam{n}")
    page.goto(stage.url)
    part(page, "open", "cam1").click()
    shows(page, picture(page), 1)

    page.keyboard.press("ArrowRight")
    shows(page, picture(page), 2)
    expect(large(page, "name")).to_have_text("cam2")
    large(page, "next").click()
    shows(page, picture(page), 3)
    large(page, "stage").focus()
    page.keyboard.press("ArrowRight")
    shows(page, picture(page), 1)
    page.keyboard.press("ArrowLeft")
    shows(page, picture(page), 3)


def test_everything_is_done_by_keyboard_alone(stage: Stage, page: Page) -> None:
    for n in (1, 2):
        stage.publish(n, camera=f"cam{n}")
    page.goto(stage.url)
    expect(page.locator("article.tile")).to_have_count(2)
    for _ in range(20):
        page.keyboard.press("Tab")
        if part(page, "open", "cam1").evaluate("(button) => button === document.activeElement"):
            break
    expect(part(page, "open", "cam1")).to_be_focused()

    page.keyboard.press("ArrowRight")
    expect(part(page, "open", "cam2")).to_be_focused()
    page.keyboard.press("Home")
    expect(part(page, "open", "cam1")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    shows(page, picture(page), 2)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keys")).to_be_hidden()
    page.keyboard.press(" ")
    expect(large(page, "state")).to_have_text("paused")
    page.keyboard.press("Escape")
    expect(part(page, "open", "cam2")).to_be_focused()


def test_f_fills_the_screen_and_leaves_it(stage: Stage, page: Page) -> None:
    opened(stage, page)

    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    shows(page, picture(page), 1001)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")

    expect(large(page)).to_be_visible()


def test_only_the_large_camera_is_asked_for_while_it_is_open(stage: Stage, page: Page) -> None:
    stage.publish(1, camera="other")
    opened(stage, page)
    other = stage.hub.get("other")
    assert other is not None
    until(lambda: other.viewers == 0, page)

    page.keyboard.press("Escape")

    until(lambda: other.viewers == 1, page)


def test_all_numbers_of_the_camera_stand_beside_its_picture(stage: Stage, page: Page) -> None:
    opened(stage, page)
    stage.publish(2)
    stage.publish(3)

    counts = large(page, "counts")
    expect(counts.locator("div").filter(has_text="received").locator("dd")).to_have_text("3")
    expect(counts.locator("div").filter(has_text="superseded").locator("dd")).to_have_text("1")
    expect(large(page, "result-title")).to_have_text("Newest result · frame 1")
    expect(large(page, "result-text")).to_have_text('{"n":1}')
    expect(large(page, "percentiles").locator("tr")).to_have_count(4)
    assert large(page, "json").get_attribute("href") == "cameras/cam1"
