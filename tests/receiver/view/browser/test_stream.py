"""The stream for an `<img>`, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.receiver.view.browser.seeing import number, until
from tests.receiver.view.browser.stage import Stage


def test_chrome_shows_the_newest_part_of_a_stream_and_not_the_one_before(
    stage: Stage, page: Page
) -> None:
    stage.publish(1)
    page.set_content(
        f"<img width=320 height=180 src={stage.url}cameras/cam1/stream.mjpg>", wait_until="commit"
    )
    shown = page.locator("img")
    until(lambda: number(shown) == 1, page)

    for seq in (2, 3):
        stage.publish(seq)
        # Sooner than the picture would be sent again.
        until(lambda seq=seq: number(shown) == seq, page, seconds=0.7)  # type: ignore[misc]
