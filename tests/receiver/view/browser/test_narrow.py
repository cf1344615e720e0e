"""A narrow screen: nothing reaches beyond its side."""

from __future__ import annotations

import dataclasses

import pytest
from playwright.sync_api import Page, expect

from tests.receiver.view.browser.seeing import large, part, until
from tests.receiver.view.browser.stage import WORKER, Stage

LONG = "a-rather-long-name-of-a-camera-" * 2


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize(("cameras", "panel"), [(0, ""), (2, ""), (2, "Results"), (2, "Hooks")])
def test_a_narrow_screen_has_no_sideways_scroll(
    stage: Stage, page: Page, cameras: int, panel: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    stage.workers.append(
        dataclasses.replace(WORKER, hook="hooks." + "x" * 90, last_error="trouble" * 50)
    )
    stage.lines.append({"at": 1.0, "hook": WORKER.hook, "worker": 1, "line": "y" * 400})
    page.goto(stage.url)
    if panel:
        page.get_by_role("button", name=panel, exact=True).click()
        page.wait_for_timeout(300)
    for n in range(cameras):
        camera = stage.publish(1, camera=LONG + str(n))
        stage.finish(camera, state="failed", error="x" * 500)
    expect(page.locator("article.tile")).to_have_count(cameras)
    expect(page.get_by_role("status").first).to_have_text("connected")

    assert width(page) == 360


def test_the_large_view_fits_a_phone_upright_and_across(stage: Stage, page: Page) -> None:
    stage.finish(stage.publish(1, camera=LONG), value={"word": "x" * 500})
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(stage.url)
    part(page, "open", LONG).click()
    until(lambda: large(page, "moment").text_content(), page)

    for size in ((360, 740), (740, 360)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert width(page) == size[0]
        assert large(page).evaluate("(dialog) => dialog.scrollWidth") == size[0]
        expect(large(page, "close")).to_be_in_viewport()


def test_the_help_fits_a_phone(stage: Stage, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(stage.url)
    page.get_by_role("button", name="Help").click()

    box = page.locator("#help").bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["width"] <= 360
