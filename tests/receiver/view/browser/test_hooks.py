"""Hooks: what runs, what it prints, and loading it anew."""

from __future__ import annotations

import dataclasses

from playwright.sync_api import Locator, Page, expect

from tests.receiver.view.browser.seeing import part
from tests.receiver.view.browser.stage import WORKER, Stage


def opened(stage: Stage, page: Page) -> Locator:
    page.goto(stage.url)
    page.get_by_role("button", name="Hooks", exact=True).click()
    return page.locator(".workers li")


def line(number: int, hook: str = WORKER.hook) -> dict[str, object]:
    return {"at": 1_700_000_000.0 + number, "hook": hook, "worker": 1, "line": f"line {number}"}


def test_a_worker_that_runs_is_described(stage: Stage, page: Page) -> None:
    stage.workers.append(dataclasses.replace(WORKER, processed=1234, failed=5))
    worker = opened(stage, page)

    for text in ("running", "hooks.motion:Motion", "all cameras", "pid 4711", "runs since 2023-11"):
        expect(worker).to_contain_text(text)
    expect(worker).to_contain_text("1\u2009234 processed, 5 failed")


def test_a_failing_hook_says_why_on_its_tile_and_with_its_traceback(
    stage: Stage, page: Page
) -> None:
    camera = stage.publish(7)
    stage.workers.append(
        dataclasses.replace(
            WORKER,
            state="restarting",
            pid=None,
            restarts=2,
            last_error="died of SIGSEGV",
            last_traceback='File "plates.py", line 12',
        )
    )
    stage.finish(camera, state="failed", error="ValueError: no plate")
    worker = opened(stage, page)

    for text in ("restarting", "2 restarts", "died of SIGSEGV"):
        expect(worker).to_contain_text(text)
    expect(worker.locator("pre")).to_be_hidden()
    worker.get_by_text("Traceback").click()
    expect(worker.locator("pre")).to_have_text('File "plates.py", line 12')
    expect(part(page, "failure")).to_have_text("hook failed: ValueError: no plate")
    expect(page.locator("#bar")).to_contain_text("1 hook worker not running")


def test_without_a_hook_the_panel_says_how_to_start_one(stage: Stage, page: Page) -> None:
    opened(stage, page)

    expect(page.get_by_text("No hook runs here")).to_be_visible()
    expect(page.locator(".log")).to_be_empty()


def test_the_log_grows_by_what_is_new(stage: Stage, page: Page) -> None:
    stage.workers.append(WORKER)
    stage.lines += [line(1), line(2)]
    opened(stage, page)
    log = page.locator(".log div")
    expect(log).to_have_count(2)

    stage.lines.append(line(3))

    expect(log).to_have_count(3)
    expect(log.last).to_contain_text("line 3")


def test_the_log_of_one_hook_is_chosen(stage: Stage, page: Page) -> None:
    stage.workers += [WORKER, dataclasses.replace(WORKER, hook="hooks.qr:process", worker=2)]
    stage.lines += [line(1), line(2, "hooks.qr:process"), line(3)]
    opened(stage, page)
    log = page.locator(".log div")
    expect(log).to_have_count(3)

    page.get_by_label("Hook whose log is shown").select_option("hooks.qr:process")

    expect(log).to_have_count(1)
    expect(log).to_contain_text("line 2")


def test_the_log_is_asked_for_only_while_it_is_looked_at(stage: Stage, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(stage, page)
    expect(page.locator(".log")).to_be_visible()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Hooks", exact=True).click()
    page.wait_for_timeout(300)
    before = len([url for url in asked if "hooks/log" in url])
    assert before >= 1

    page.wait_for_timeout(2_000)

    assert len([url for url in asked if "hooks/log" in url]) == before


def test_reload_asks_the_receiver_and_says_what_it_answers(stage: Stage, page: Page) -> None:
    stage.workers.append(WORKER)
    worker = opened(stage, page)

    worker.get_by_role("button", name="Reload").click()

    expect(worker).to_contain_text("is loaded anew")
    assert stage.reloads == [WORKER.hook]
