"""The sender's page, in a real browser."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from shared import pattern
from tests.receiver.view.browser.seeing import shot, until
from tests.sender.view.stage import Counted, Stage

NAMES = ("door", "yard", "roof", "gate", "hall", "lane", "shed", "pond")


def tile(page: Page, camera: str) -> Locator:
    return page.locator(f"[data-camera={camera}]")


def number(page: Page, camera: str) -> int | None:
    """Return the number that is drawn in the camera's picture on the screen."""
    mark = pattern.read(shot(tile(page, camera).locator(".screen")))
    return mark.number if mark else None


def test_more_cameras_than_a_browser_has_connections_are_live(page: Page) -> None:
    with Stage(*NAMES) as stage:
        for camera in NAMES:
            stage.show(Counted(1), camera=camera)
        page.goto(f"{stage.url}/")
        expect(page.locator("img[src]")).to_have_count(len(NAMES))
        for value, camera in enumerate(NAMES, 10):
            stage.show(Counted(value), camera=camera)
        for value, camera in enumerate(NAMES, 10):
            until(lambda value=value, camera=camera: number(page, camera) == value, page)  # type: ignore[misc]

        expect(page.get_by_role("status")).to_have_text("8 cameras, 8 live")
        expect(tile(page, "pond")).to_contain_text("640 × 360, 25.0 fps, posted 10.0 fps")


def test_what_is_picked_is_what_is_asked_for_and_what_the_links_say(page: Page) -> None:
    with Stage() as stage:
        picture = Counted(1)
        stage.show(picture)
        page.goto(f"{stage.url}/")
        until(lambda: picture.encoded, page)
        page.get_by_label("Width").select_option("160")
        page.get_by_label("Quality").select_option("30")
        page.get_by_label("Rate").select_option("1 fps")
        until(lambda: (30, (160, 90)) in picture.encoded, page)

        stream = tile(page, "cam1").get_by_role("link", name="stream")
        wish = "width=160&fps=1&quality=30"
        expect(stream).to_have_attribute("href", f"{stage.url}/cameras/cam1/stream.mjpg?{wish}")
        with page.expect_response("**/frame.jpg?**") as answer:
            pass
        assert "width=160&quality=30" in answer.value.url


def test_a_camera_that_gives_nothing_says_why_and_shows_what_comes_then(page: Page) -> None:
    with Stage("door", "yard") as stage:
        stage.show(camera="door")
        page.goto(f"{stage.url}/")
        expect(tile(page, "yard")).to_contain_text("rtsp://yard/: connection refused")
        expect(page.get_by_role("status")).to_have_text("2 cameras, 1 live")

        stage.show(Counted(5), camera="yard")
        until(lambda: number(page, "yard") == 5, page)
        expect(tile(page, "yard")).not_to_contain_text("connection refused")


def test_a_sender_that_ends_is_seen(page: Page) -> None:
    with Stage() as stage:
        stage.show()
        page.goto(f"{stage.url}/")
        expect(page.get_by_role("status")).to_have_text("1 camera, 1 live")
        stage.close()
        expect(page.get_by_role("status")).to_have_text("no connection to the sender")
        expect(tile(page, "cam1").locator(".state")).to_have_text("unknown")


def test_a_browser_that_has_the_token_brings_it_for_the_pictures_too(page: Page) -> None:
    token = "0123456789-a-token-to-look"
    with Stage(token=token) as stage:
        stage.show(Counted(3))
        page.goto(f"http://x:{token}@127.0.0.1:{stage.port}/")
        until(lambda: number(page, "cam1") == 3, page)


@pytest.mark.parametrize(("scheme", "ground"), [("light", 243), ("dark", 13)])
def test_it_is_as_light_or_dark_as_the_viewer_s_system(
    page: Page, scheme: Literal["light", "dark"], ground: int
) -> None:
    with Stage() as stage:
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{stage.url}/")
        expect(page.locator("body")).to_have_css(
            "background-color", re.compile(rf"^rgb\({ground},")
        )
