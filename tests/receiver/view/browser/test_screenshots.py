"""The README's screenshots: `make screenshots` writes them to docs/pictures."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page, expect

from shared import codec
from tests.receiver.view.browser.scene import WIDTH, street
from tests.receiver.view.browser.seeing import connect, large, part, shot, until
from tests.receiver.view.browser.stage import WORKER, Stage

CAMERAS = ("bridge", "crossing", "depot", "east-gate", "harbour", "market")
STAGES = {"send": 2.1, "network": 0.9, "queue": 0.6, "decode": 2.2, "hook": 6.4}
SECONDS = 300


def folder(tmp_path: Path) -> Path:
    """Return where the pictures go: to the documents where somebody asks for that."""
    wanted = os.environ.get("FRAMEPOST_SCREENSHOTS")
    path = Path(wanted) if wanted else tmp_path
    path.mkdir(parents=True, exist_ok=True)
    return path


def past(seed: int) -> dict[str, Any]:
    """Return some minutes of a camera with 25 frames a second, as GET /history tells them."""
    chance = np.random.default_rng(seed)
    now = int(time.time())
    slow = np.clip(np.sin(np.arange(SECONDS) / 30 + seed), 0, 1) ** 4
    lost = np.round(slow * chance.integers(2, 9, SECONDS))
    stages = {
        stage: (ms * (1 + 0.25 * chance.random(SECONDS) + (1.2 * slow if stage == "hook" else 0)))
        for stage, ms in STAGES.items()
    }
    zeros = [0.0] * SECONDS
    return {
        "at": [now - SECONDS + 1 + n for n in range(SECONDS)],
        "received": [25.0] * SECONDS,
        "processed": (25 - lost).tolist(),
        "shown": [10.0] * SECONDS,
        "lost": {
            "superseded": lost.tolist(),
            "failed": zeros,
            "refused": zeros,
            "duplicate": zeros,
        },
        "ms": {stage: values.tolist() for stage, values in stages.items()},
    }


def play(stage: Stage, at: float) -> None:
    """Publish the moment `at` of every camera, and what was found in it."""
    for seed, name in enumerate(CAMERAS):
        image, value = street(seed, at, night=name == "harbour")
        jpeg = codec.encode(image, 95)
        camera = stage.publish(int(at * 25), camera=name, width=WIDTH, data=jpeg)
        stage.finish(camera, value=value)


def save(page: Page, path: Path) -> None:
    """Save what is on the screen, in a file that is no larger than it must be."""
    # In steps of eight the noise of the JPEGs is gone, and nobody sees another difference.
    picture = (shot(page) & 0xF8) + np.uint8(4)
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert path.stat().st_size < 300_000


def prepared(stage: Stage, page: Page) -> None:
    stage.workers.append(dataclasses.replace(WORKER, hook="my_hooks.street:Detector"))
    for seed, name in enumerate(CAMERAS):
        stage.history[name] = past(seed)
    play(stage, 4.0)
    connect(page, stage.url)
    expect(page.locator("article.tile")).to_have_count(len(CAMERAS))


def test_the_wall(stage: Stage, page: Page, tmp_path: Path) -> None:
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1440, "height": 810})
    prepared(stage, page)
    page.get_by_role("button", name="Results", exact=True).click()
    for at in np.arange(4.25, 7, 0.25):
        play(stage, float(at))
        page.wait_for_timeout(150)
    expect(part(page, "latency", "market")).not_to_have_text("–")

    save(page, folder(tmp_path) / "wall.png")


def test_one_camera(stage: Stage, page: Page, tmp_path: Path) -> None:
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 760})
    prepared(stage, page)
    part(page, "open", "crossing").click()
    play(stage, 6.2)
    until(lambda: large(page, "moment").text_content(), page)
    expect(large(page, "flow-most")).to_have_text("25.0")
    play(stage, 6.4)
    page.wait_for_timeout(500)

    save(page, folder(tmp_path) / "camera.png")


def test_a_phone(stage: Stage, page: Page, tmp_path: Path) -> None:
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 780})
    prepared(stage, page)
    play(stage, 5.0)
    expect(part(page, "latency", "bridge")).not_to_have_text("–")

    save(page, folder(tmp_path) / "phone.png")
