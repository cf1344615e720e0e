"""A real browser, and a stage for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import MakeFrame, missing
from tests.receiver.view.browser.stage import Stage

# Never reached in a good run, and enough for a busy machine.
expect.set_options(timeout=30_000)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A process kept for a page to come, or reaped late, would look like a leak.
    "--disable-features=SpareRendererForSitePerProcess",
    "--no-zygote",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium", "apt-get install chromium")
    assert path is not None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        _warm(chromium)
        yield chromium
        chromium.close()


def _warm(browser: Browser) -> None:
    """Start the process that keeps what pages store; in a test it would look like a leak."""
    page = browser.new_page()
    page.route("**", lambda route: route.fulfill(body="<p>warm", content_type="text/html"))
    page.goto("http://warm.test/")
    page.evaluate("localStorage.setItem('warm', '1')")
    page.close()


@pytest.fixture
def stage(make_frame: MakeFrame) -> Iterator[Stage]:
    stage = Stage(make_frame)
    yield stage
    stage.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own; what goes wrong in its scripts, or against its policy, fails the test."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if "Content Security Policy" in message.text or "TrustedTypes" in message.text
            else None
        ),
    )
    yield page
    page.close()
    assert faults == []
