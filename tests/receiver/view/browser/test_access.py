"""Access: the token is asked for once, and is in no address."""

from __future__ import annotations

import dataclasses

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.receiver.view.browser.seeing import part, shows
from tests.receiver.view.browser.stage import WORKER, Stage

TOKEN = "a-Very+secret/token=1"


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The address of every request."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def form(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This receiver asks for a token")


def enter(page: Page, token: str) -> None:
    form(page).get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def test_a_token_is_asked_for_once_and_is_in_no_address(
    stage: Stage, page: Page, asked: list[str]
) -> None:
    stage.token = TOKEN
    stage.publish(1)
    page.goto(stage.url)
    expect(form(page)).to_be_visible()

    enter(page, TOKEN)

    shows(page, part(page, "canvas"), 1)
    expect(form(page)).to_be_hidden()
    page.reload()
    shows(page, part(page, "canvas"), 1)
    expect(form(page)).to_be_hidden()
    assert len(asked) > 10
    assert not [address for address in asked if "secret" in address]
    assert "secret" not in page.evaluate("JSON.stringify(localStorage) + location.href")
    assert "secret" not in page.content()


def test_without_tokens_nothing_is_asked(stage: Stage, page: Page) -> None:
    stage.publish(1)
    page.goto(stage.url)
    shows(page, part(page, "canvas"), 1)

    expect(form(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Forget token")).to_be_hidden()


def test_a_wrong_token_is_told_and_asked_again(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.publish(1)
    page.goto(stage.url)
    enter(page, "wrong")
    expect(form(page).get_by_role("alert")).to_have_text("This token is not valid here.")

    stage.roles = ["ingest"]
    enter(page, TOKEN)
    expect(form(page).get_by_role("alert")).to_have_text("This token is for ingest, not for view.")
    stage.roles = ["view"]
    enter(page, TOKEN)

    shows(page, part(page, "canvas"), 1)


def test_a_token_that_counts_no_more_is_asked_for_again(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.publish(1)
    page.goto(stage.url)
    enter(page, TOKEN)
    shows(page, part(page, "canvas"), 1)

    stage.token = "another-token"
    page.get_by_role("button", name="Results", exact=True).click()
    expect(form(page)).to_be_visible()
    enter(page, "another-token")

    stage.publish(2)
    shows(page, part(page, "canvas"), 2)


def test_the_token_is_forgotten_on_wish(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.publish(1)
    page.goto(stage.url)
    enter(page, TOKEN)
    shows(page, part(page, "canvas"), 1)

    page.get_by_role("button", name="Forget token").click()

    expect(form(page)).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_who_gives_no_token_sees_why_there_is_nothing_and_may_think_again(
    stage: Stage, page: Page
) -> None:
    stage.token = TOKEN
    stage.publish(1)
    page.goto(stage.url)
    form(page).get_by_role("button", name="Cancel").click()
    expect(page.locator("#trouble p")).to_contain_text("asks for a token")

    page.get_by_role("button", name="Enter a token").click()
    enter(page, TOKEN)

    shows(page, part(page, "canvas"), 1)
    expect(page.locator("#trouble p")).to_be_hidden()


def test_a_reload_of_a_hook_asks_for_a_token_that_may(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.workers.append(dataclasses.replace(WORKER))
    page.goto(stage.url)
    enter(page, TOKEN)
    page.get_by_role("button", name="Hooks", exact=True).click()
    page.get_by_role("button", name="Reload").click()
    expect(form(page)).to_contain_text("This needs a token with the role admin.")
    assert stage.reloads == []

    stage.roles = ["admin"]
    enter(page, TOKEN)

    expect(page.locator(".workers li")).to_contain_text("is loaded anew")
    assert stage.reloads == [WORKER.hook]


def test_who_has_no_such_token_goes_on_looking(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.workers.append(WORKER)
    stage.publish(1)
    page.goto(stage.url)
    enter(page, TOKEN)
    page.get_by_role("button", name="Hooks", exact=True).click()
    page.get_by_role("button", name="Reload").click()

    form(page).get_by_role("button", name="Cancel").click()

    expect(page.locator(".workers li")).to_contain_text("asks for a token")
    stage.publish(2)
    shows(page, part(page, "canvas"), 2)


def test_who_gives_no_token_is_left_alone_until_they_think_again(stage: Stage, page: Page) -> None:
    stage.token = TOKEN
    stage.workers.append(WORKER)
    stage.publish(1)
    page.goto(stage.url)
    enter(page, TOKEN)
    page.get_by_role("button", name="Hooks", exact=True).click()
    expect(page.locator(".workers li")).to_contain_text("running")
    page.get_by_role("button", name="Forget token").click()
    form(page).get_by_role("button", name="Cancel").click()

    # Neither what is shown still nor the hooks' log asks for it again.
    with pytest.raises(TimeoutError), page.expect_request("**/*", timeout=4000):
        pass
    expect(form(page)).to_be_hidden()
    expect(page.locator("#trouble p")).to_contain_text("asks for a token")
    expect(part(page, "over")).to_contain_text("no connection")
    stage.lines.append({"at": 1.0, "hook": WORKER.hook, "worker": 1, "line": "says hello"})
    page.get_by_role("button", name="Enter a token").click()
    enter(page, TOKEN)
    expect(page.get_by_role("log", name="Log of the hooks")).to_contain_text("says hello")
