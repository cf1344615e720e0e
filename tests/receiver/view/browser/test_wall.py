"""The wall: a tile for each camera, all on one connection."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Request, expect

from tests.receiver.view.browser.seeing import (
    comes_alive,
    connect,
    number,
    numbers,
    part,
    shows,
    tile,
    until,
)
from tests.receiver.view.browser.stage import Stage


def asked(page: Page) -> list[str]:
    """Return a list to which the address of each request for records is added."""
    addresses: list[str] = []

    def note(request: Request) -> None:
        if "/live?" in request.url:
            addresses.append(request.url)

    page.on("request", note)
    return addresses


def shown(address: str) -> list[str] | None:
    return parse_qs(urlsplit(address).query, keep_blank_values=True).get("show")


def test_pictures_and_numbers_move_by_themselves(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    stage.publish(1)
    shows(page, part(page, "canvas"), 1)

    comes_alive(stage.publish, page, 2)


def test_a_frame_that_just_came_is_of_now(stage: Stage, page: Page) -> None:
    connect(page, stage.url)

    def is_now() -> bool:
        stage.publish(1)  # anew: a busy machine may take longer to show it than it is of now
        return part(page, "age").all_text_contents() == ["now"]

    until(is_now, page)


def test_an_empty_page_says_how_to_begin_and_a_new_camera_appears(stage: Stage, page: Page) -> None:
    page.goto(stage.url)
    code = page.locator("#empty code")
    expect(code.filter(has_text="curl")).to_contain_text(f"{stage.url}cameras/cam1/frames")
    expect(code.filter(has_text="python -m sender")).to_contain_text(stage.url.rstrip("/"))

    stage.publish(1)

    expect(tile(page)).to_be_visible()
    expect(code.first).to_be_hidden()
    shows(page, part(page, "canvas"), 1)


def test_a_forgotten_camera_vanishes(stage: Stage, page: Page) -> None:
    stage.publish(1)
    stage.publish(1, camera="cam2")
    page.goto(stage.url)
    expect(page.locator("article.tile")).to_have_count(2)

    stage.stop()
    stage.restart()
    stage.publish(1, camera="cam2")

    expect(page.locator("article.tile")).to_have_count(1, timeout=30_000)
    expect(tile(page, "cam2")).to_be_visible()


def test_thirty_two_cameras_are_live_in_one_tab_and_in_another(
    stage: Stage, page: Page, browser: Browser
) -> None:
    names = [f"cam{n}" for n in range(10, 42)]
    for name in names:
        stage.publish(1, camera=name)
    other = browser.new_page()
    for each in (page, other):
        each.set_viewport_size({"width": 1700, "height": 1300})
        each.goto(stage.url)
        each.get_by_label("Size of the tiles").select_option("small")
        expect(each.locator("article.tile")).to_have_count(32)
    for seq in (2, 3):
        for name in names:
            stage.publish(seq, camera=name)
        for each in (page, other):
            each.bring_to_front()
            until(lambda each=each, seq=seq: numbers(each) == dict.fromkeys(names, seq), each)  # type: ignore[misc]
    other.close()


def test_the_page_has_one_connection_however_many_cameras_there_are(
    stage: Stage, page: Page
) -> None:
    for n in range(12):
        stage.publish(1, camera=f"cam{n}")
    page.goto(stage.url)
    until(lambda: set(numbers(page).values()) >= {1}, page)
    page.wait_for_timeout(500)

    others = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    until(lambda: stage.seats.taken == 1, page)
    assert not [name for name in others if "frame.jpg" in name or "stream.mjpg" in name]


def test_a_camera_off_the_screen_is_not_asked_for(stage: Stage, page: Page) -> None:
    names = [f"cam{n}" for n in range(10, 22)]
    for name in names:
        stage.publish(1, camera=name)
    page.set_viewport_size({"width": 500, "height": 700})
    addresses = asked(page)
    page.goto(stage.url)
    until(lambda: shown(addresses[-1]) is not None if addresses else False, page)
    first = shown(addresses[-1])
    assert first is not None
    assert "cam10" in first
    assert "cam21" not in first

    tile(page, "cam21").scroll_into_view_if_needed()

    until(lambda: "cam21" in (shown(addresses[-1]) or []), page)
    assert "cam10" not in (shown(addresses[-1]) or [])
    stage.publish(2, camera="cam21")
    shows(page, part(page, "canvas", "cam21"), 2)


def test_a_hidden_page_leaves_and_comes_back_by_itself(stage: Stage, page: Page) -> None:
    stage.publish(1)
    page.goto(stage.url)
    shows(page, part(page, "canvas"), 1)
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""

    page.evaluate(hide, True)
    until(lambda: stage.seats.taken == 0, page)
    stage.publish(2)
    page.wait_for_timeout(300)
    assert number(part(page, "canvas")) == 1

    page.evaluate(hide, False)
    shows(page, part(page, "canvas"), 2)


def test_the_raw_picture_is_shown_on_wish_and_still_is_after_a_reload(
    stage: Stage, page: Page
) -> None:
    camera = stage.publish(1)
    drawn = stage.publish(99, camera="other").latest.peek()
    assert drawn is not None
    stage.finish(camera, drawn.data, value=None)
    page.goto(stage.url)
    shows(page, part(page, "canvas"), 99)

    page.get_by_label("View", exact=True).select_option("raw")
    shows(page, part(page, "canvas"), 1)
    page.reload()

    shows(page, part(page, "canvas"), 1)


def test_many_tiles_ask_for_small_pictures_and_a_single_one_for_as_it_was_sent(
    stage: Stage, page: Page
) -> None:
    stage.publish(1, width=1280)
    addresses = asked(page)
    page.goto(stage.url)
    shows(page, part(page, "canvas"), 1)
    until(lambda: "width=" not in addresses[-1], page)

    for n in range(2, 14):
        stage.publish(1, camera=f"cam{n}", width=1280)

    def are_small() -> bool:
        return re.search("width=(480|320)", addresses[-1]) is not None and "fps=" in addresses[-1]

    until(are_small, page)
