"""Whoever cannot see the page, or sees little: names, headings, landmarks, contrast."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.receiver.view.browser.seeing import connect, large, part, until
from tests.receiver.view.browser.stage import WORKER, Stage

HERE = Path(__file__).parent
NAMELESS = (HERE / "names.js").read_text()
FAINT = (HERE / "contrast.js").read_text()


def fill(stage: Stage) -> None:
    """A page with something of everything on it."""
    stage.finish(stage.publish(1), value={"n": 1})
    stage.finish(stage.publish(1, camera="yard"), state="failed", error="no plate")
    stage.workers += [
        WORKER,
        dataclasses.replace(
            WORKER, worker=2, state="restarting", last_error="died", last_traceback="line 1"
        ),
        dataclasses.replace(WORKER, worker=3, state="failed", last_error="no such file"),
    ]
    stage.lines.append({"at": 1.0, "hook": WORKER.hook, "worker": 1, "line": "printed"})


def show(stage: Stage, page: Page, what: str) -> None:
    if what == "results":
        page.get_by_role("button", name="Results", exact=True).click()
        page.wait_for_timeout(300)
        stage.finish(stage.publish(2), value={"n": 2})
        stage.finish(stage.publish(3), state="failed", error="no plate")
        expect(page.locator(".feed li").first).to_contain_text("no plate")
        page.locator(".feed button").first.click()
    elif what == "hooks":
        page.get_by_role("button", name="Hooks", exact=True).click()
        expect(page.locator(".log div")).to_have_count(1)
    elif what == "help":
        page.keyboard.press("?")
    elif what == "stale":
        stage.clock_offset = 30
        expect(part(page, "state")).to_have_text("stale")
    elif what == "large":
        part(page, "open").click()
        until(lambda: large(page, "moment").text_content(), page)
    elif what == "access":
        stage.token = "t"
        page.reload()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#access [role=alert]")).not_to_be_empty()


LOOKS = ["wall", "results", "hooks", "help", "stale", "large", "access"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_can_be_read_and_every_control_has_a_name(
    stage: Stage, page: Page, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    connect(page, stage.url)
    fill(stage)
    expect(part(page, "state")).to_have_text("live")
    for what in LOOKS:
        show(stage, page, what)
        assert page.evaluate(NAMELESS) == [], what
        assert page.evaluate(FAINT) == [], what
        page.keyboard.press("Escape")


def test_the_look_for_faint_words_finds_some(stage: Stage, page: Page) -> None:
    page.goto(stage.url)
    page.evaluate("document.querySelector('h1').style.color = '#999'")

    assert page.evaluate(FAINT) == [["Framepost", 2.85]]


def test_headings_and_landmarks_tell_where_things_are(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    fill(stage)
    page.get_by_role("button", name="Hooks", exact=True).click()
    expect(page.locator("article.tile")).to_have_count(2)

    assert page.get_by_role("banner").count() == 1
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("complementary").count() == 1
    assert page.get_by_role("heading", level=1).all_text_contents() == [" Framepost"]
    levels = page.evaluate(
        """[...document.querySelectorAll("h1, h2, h3")].filter((each) => each.checkVisibility())
            .map((each) => Number(each.tagName[1]))"""
    )
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_focus_is_seen_and_comes_back_from_a_dialog(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    fill(stage)
    expect(page.locator("article.tile")).to_have_count(2)
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the cameras")).to_be_focused()
    expect(page.get_by_text("To the cameras")).to_be_in_viewport()
    part(page, "open").focus()
    page.keyboard.press("ArrowRight")
    outline = page.locator(".tile:focus-within").evaluate(
        "(tile) => getComputedStyle(tile).outline"
    )
    assert "2px" in outline
    assert "solid" in outline

    help_ = page.get_by_role("button", name="Help")
    help_.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_).to_be_focused()


def test_a_state_is_a_word_and_not_a_colour_alone(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    fill(stage)
    expect(part(page, "state")).to_have_text("live")

    empty = page.evaluate(
        """[...document.querySelectorAll(".state")].filter((each) => each.checkVisibility())
            .filter((each) => !each.textContent.trim()).length"""
    )
    assert empty == 0
