"""Feed: the newest results, to filter and to look into."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.receiver.view.browser.stage import Stage


def opened(stage: Stage, page: Page) -> Locator:
    """Open the page with its results; return the lines."""
    for name in ("cam1", "cam2"):
        stage.publish(0, camera=name)
    page.goto(stage.url)
    page.get_by_role("button", name="Results", exact=True).click()
    expect(page.locator("article.tile")).to_have_count(2)
    page.wait_for_timeout(400)
    return page.locator(".feed li")


def result(stage: Stage, seq: int, camera: str = "cam1", **facts: Any) -> None:
    stage.finish(stage.publish(seq, camera=camera), **facts)


def test_results_come_by_themselves_the_newest_on_top(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 1, value={"faces": 3})
    result(stage, 2, value={"objects": [{"label": "car", "score": 0.914, "box": [1, 2, 3, 4]}]})

    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("1 object: car 0.91")
    expect(lines.last).to_contain_text('{"faces":3}')


def test_a_line_opens_to_all_that_is_known(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 7, state="failed", error="ValueError: no plate", traceback="Traceback: line 12")
    expect(lines).to_have_count(1)
    button = lines.first.get_by_role("button")
    expect(lines.first).to_contain_text("failed: ValueError: no plate")
    expect(lines.first.locator("pre")).to_be_hidden()

    button.click()

    expect(button).to_have_attribute("aria-expanded", "true")
    for text in ("Traceback: line 12", '"seq": 7', '"state": "failed"', '"timings"'):
        expect(lines.first.locator("pre")).to_contain_text(text)
    button.click()
    expect(lines.first.locator("pre")).to_be_hidden()


def test_it_is_filtered_by_camera_by_text_and_by_failure(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 1, value={"plate": "B-1234"})
    result(stage, 1, camera="cam2", value={"plate": "K-77"})
    result(stage, 2, camera="cam2", state="failed", error="no plate")
    expect(lines).to_have_count(3)

    page.get_by_role("combobox", name="Camera").select_option("cam2")
    expect(lines).to_have_count(2)
    page.get_by_label("Text in the result").fill("k-77")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("K-77")
    page.get_by_label("Text in the result").fill("")
    page.get_by_label("only failures").check()
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("no plate")

    # What comes passes the same filter.
    result(stage, 3, camera="cam2", value={"plate": "M-1"})
    result(stage, 4, camera="cam2", state="failed", error="blurred")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("blurred")


def test_it_stands_still_under_the_pointer_and_says_how_many_came(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 1, value="first")
    expect(lines).to_have_count(1)
    lines.first.hover()

    result(stage, 2, value="second")
    result(stage, 3, value="third")

    news = page.locator("#results [data-is=news]")
    expect(news).to_have_text("paused · 2 more")
    expect(lines).to_have_count(1)
    page.mouse.move(5, 800)
    expect(lines).to_have_count(3)
    expect(news).to_be_empty()


def test_it_stands_still_while_a_line_has_the_focus(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 1, value="first")
    lines.first.get_by_role("button").focus()
    result(stage, 2, value="second")
    expect(page.locator("#results [data-is=news]")).to_have_text("paused · 1 more")
    expect(lines).to_have_count(1)

    page.get_by_role("button", name="Help").focus()

    expect(lines).to_have_count(2)


def test_a_flood_leaves_a_bounded_list_with_the_newest_on_top(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    for seq in range(1, 81):
        result(stage, seq, value=seq)
    expect(lines).to_have_count(80)
    for seq in range(81, 351):
        result(stage, seq, value=seq)

    expect(lines.first).to_contain_text("350", timeout=30_000)
    assert lines.count() == 100


def test_what_comes_again_with_a_new_connection_is_shown_once(stage: Stage, page: Page) -> None:
    lines = opened(stage, page)
    result(stage, 1, value="first")
    expect(lines).to_have_count(1)

    with page.expect_request(lambda request: "fps=5" in request.url):
        page.get_by_label("Pictures a second").first.select_option("5")
    # It has answered, and said what is newest.
    page.wait_for_timeout(1_000)
    result(stage, 2, value="second")

    expect(lines.first).to_contain_text("second")
    assert lines.count() == 2


def test_results_are_asked_for_only_while_they_are_looked_at(stage: Stage, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stage.publish(1)
    page.goto(stage.url)
    page.wait_for_timeout(400)
    assert not [url for url in asked if "results=1" in url]

    with page.expect_request(lambda request: "results=1" in request.url):
        page.get_by_role("button", name="Results", exact=True).click()
    with page.expect_request(lambda r: "/live?" in r.url and "results=1" not in r.url):
        page.get_by_role("button", name="Results", exact=True).click()
