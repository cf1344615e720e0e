"""Seeing: what is on the page, read from its pixels and its words."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
from playwright.sync_api import Locator, Page, expect

from shared import pattern
from shared.codec import Image


def shot(of: Locator | Page) -> Image:
    """Return what is on the screen there, height × width × 3 BGR."""
    picture = cv2.imdecode(np.frombuffer(of.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(picture, np.uint8)


def number(shown: Locator) -> int | None:
    """Return the number that is drawn in the picture on the screen."""
    mark = pattern.read(within(shown))
    return mark.number if mark else None


def within(shown: Locator) -> Image:
    """Return the picture that a canvas shows, without what is left of its box beside it."""
    size = shown.evaluate("({ width, height }) => [width, height]")
    screen = shot(shown)
    height, width = screen.shape[:2]
    scale = min(width / size[0], height / size[1])
    left, top = (width - size[0] * scale) / 2, (height - size[1] * scale) / 2
    return screen[round(top) : round(height - top), round(left) : round(width - left)]


def numbers(page: Page) -> dict[str, int | None]:
    """Return the number in each tile's picture, by the camera's name, all from one look."""
    places = page.evaluate(
        """[...document.querySelectorAll(".tile")].map((tile) => {
            const { x, y, width, height } = tile.querySelector("canvas").getBoundingClientRect();
            return [tile.querySelector("h3").textContent, x, y, width, height];
        })"""
    )
    screen = shot(page)
    found = {}
    for name, x, y, width, height in places:
        # The edges of a tile may lie between two pixels.
        cut = screen[round(y) : round(y + height), round(x) : round(x + width)]
        mark = pattern.read(cut) if cut.size else None
        found[name] = mark.number if mark else None
    return found


def until(true: Callable[[], object], page: Page, *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def connect(page: Page, url: str) -> None:
    """Open the page, and wait until it has its first word of the receiver."""
    page.goto(url)
    expect(page.get_by_role("status").first).to_have_text("connected")


def tile(page: Page, name: str = "cam1") -> Locator:
    return page.locator("article.tile").filter(
        has=page.get_by_role("heading", name=name, exact=True)
    )


def part(page: Page, name: str, camera: str = "cam1") -> Locator:
    return tile(page, camera).locator(f"[data-is={name}]")


def comes_alive(publish: Callable[[int], object], page: Page, seq: int) -> None:
    """Publish frame `seq` and see it; then newer ones until the camera is live. A frame is stale
    after 3 s, and a busy machine may take longer to show it.
    """
    publish(seq)
    shows(page, part(page, "canvas"), seq)

    def is_live() -> bool:
        nonlocal seq
        if part(page, "state").inner_text() == "live":
            return True
        seq += 1
        publish(seq)
        page.wait_for_timeout(500)
        return part(page, "state").inner_text() == "live"

    until(is_live, page)


def unfade(of: Locator) -> None:
    """Have old pictures look as new ones do: a busy machine may take long to show one."""
    of.evaluate(
        """(element) => {
            for (const canvas of element.querySelectorAll("canvas")) {
                canvas.style.filter = canvas.style.transition = "none";
            }
            for (const over of element.querySelectorAll(".over")) over.style.display = "none";
        }"""
    )


def large(page: Page, name: str = "") -> Locator:
    """Return the large view, or the part of it with that name."""
    return page.locator(f"#large [data-is={name}]" if name else "#large")


def picture(page: Page, view: str = "annotated") -> Locator:
    """Return the picture of the large view."""
    return large(page, view).locator("canvas").first


def shows(page: Page, shown: Locator, expected: int) -> None:
    """Wait until the picture with that number is on the screen."""
    until(lambda: number(shown) == expected, page)
