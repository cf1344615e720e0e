"""Text: whatever a camera, a hook or its log says is text, and never runs."""

from __future__ import annotations

import dataclasses

from playwright.sync_api import Page, expect

from tests.receiver.view.browser.seeing import large, part, shows, tile
from tests.receiver.view.browser.stage import WORKER, Stage

EVIL = "<img src=x onerror=window.owned=1>"


def test_what_a_camera_or_a_hook_says_is_text(stage: Stage, page: Page) -> None:
    camera = stage.publish(1, camera=EVIL)
    found = {"label": EVIL, "box": [10, 10, 50, 50], "color": EVIL}
    stage.workers.append(
        dataclasses.replace(WORKER, hook=EVIL, last_error=EVIL, last_traceback=EVIL)
    )
    stage.lines.append({"at": 1.0, "hook": EVIL, "worker": 1, "line": EVIL})
    page.goto(stage.url)
    page.get_by_role("button", name="Results", exact=True).click()
    expect(tile(page, EVIL)).to_be_visible()
    stage.finish(camera, value={EVIL: [EVIL], "objects": [found]})
    shows(page, part(page, "canvas", EVIL), 1)
    line = page.locator(".feed li").first
    line.get_by_role("button").click()
    expect(line.locator("pre")).to_contain_text(EVIL)
    expect(line).to_contain_text(f"1 object: {EVIL}")
    camera = stage.publish(2, camera=EVIL)
    stage.finish(camera, state="failed", error=EVIL, traceback=EVIL)
    expect(part(page, "failure", EVIL)).to_contain_text(EVIL)

    page.get_by_role("button", name="Hooks", exact=True).click()
    expect(page.locator(".workers code")).to_have_text(EVIL)
    expect(page.locator(".workers .bad")).to_contain_text(EVIL)
    expect(page.locator(".log")).to_contain_text(EVIL)
    part(page, "open", EVIL).click()
    expect(large(page, "name")).to_have_text(EVIL)

    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 1
    assert page.locator("[onerror]").count() == 0


def test_what_a_hook_says_is_text_in_the_large_view_too(stage: Stage, page: Page) -> None:
    camera = stage.publish(1)
    stage.finish(camera, value={EVIL: [EVIL]})
    page.goto(stage.url)
    part(page, "open").click()
    expect(large(page, "result-text")).to_contain_text(EVIL)
    camera = stage.publish(2)
    stage.finish(camera, state="failed", error=EVIL, traceback=EVIL)
    expect(large(page, "result-text")).to_contain_text(EVIL)

    assert page.evaluate("window.owned") is None
    assert page.locator("[onerror]").count() == 0


def test_a_script_that_wrote_markup_would_be_stopped_by_the_policy(
    stage: Stage, page: Page
) -> None:
    page.goto(stage.url)

    # Not as markup and not as code; and the page's own scripts never try.
    wrong = page.evaluate(
        """() => {
            try { document.body.innerHTML = "<b>x</b>"; } catch (error) { return error.name; }
        }"""
    )
    assert wrong == "TypeError"
