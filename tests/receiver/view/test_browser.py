"""The page and the streams in a real browser."""

from __future__ import annotations

import dataclasses
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from werkzeug.serving import make_server

from receiver import health, status
from receiver.app import create_app
from receiver.camera import Camera
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hub import Hub
from receiver.metrics import Metrics
from receiver.result import Result
from receiver.seats import Seats
from receiver.view import dashboard, live
from receiver.view.renditions import Renditions
from shared import pattern
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame, missing

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
WORKER = WorkerStatus(
    hook="hooks.motion:Motion",
    camera="*",
    worker=1,
    state="ready",
    pid=4711,
    since=0.0,
    restarts=0,
    last_error=None,
    processed=0,
    failed=0,
)


class Stage:
    """A receiver's front without its doors: what the tests publish is what the page shows."""

    def __init__(self, make_frame: MakeFrame) -> None:
        self.clock_offset = 0.0
        self.workers: list[WorkerStatus] = []
        self._make = make_frame
        self._start(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def publish(self, seq: int, *, camera: str = "cam1", width: int = 320) -> Camera:
        frame = self._make(seq, camera=camera, width=width, height=width * 9 // 16)
        self.hub.publish(frame)
        found = self.hub.get(camera)
        assert found is not None
        return found

    def finish(self, camera: Camera, picture: EncodedFrame | None = None, **facts: Any) -> None:
        """Enter a result of the camera's newest frame."""
        frame = camera.pending.take()
        assert frame is not None
        values: dict[str, Any] = {"state": "processed", "value": None} | facts
        camera.finish(
            Result(
                frame=frame,
                picture=picture or frame,
                queue=0.001,
                decode=0.002,
                hook=0.003,
                **values,
            )
        )

    def stop(self) -> None:
        self.hub.close()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def restart(self) -> None:
        self._start(self.port)

    def _start(self, port: int) -> None:
        self.hub = Hub(clock=lambda: time.monotonic() + self.clock_offset)
        app = create_app(
            [
                live.blueprint(self.hub, Renditions(), seats=Seats(10)),
                status.blueprint(self.hub),
                health.blueprint(
                    registry=Metrics().registry,
                    hooks=lambda: [dataclasses.asdict(worker) for worker in self.workers],
                    alive=list,
                    ready=list,
                ),
                dashboard.blueprint(),
            ],
            max_bytes=1 << 20,
        )
        self._server = make_server("127.0.0.1", port, app, threaded=True)
        self.port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium", "apt-get install chromium")
    assert path is not None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def stage(make_frame: MakeFrame) -> Iterator[Stage]:
    stage = Stage(make_frame)
    yield stage
    stage.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            faults.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    page.close()
    assert faults == []


def number(shown: Locator) -> int | None:
    """Read the number that is drawn in the picture on the screen."""
    shot = cv2.imdecode(np.frombuffer(shown.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    mark = pattern.read(np.asarray(shot, np.uint8))
    return mark.number if mark else None


def until(true: Callable[[], object], page: Page, *, within: float = 5) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def tile(page: Page, name: str = "cam1") -> Locator:
    return page.locator("article.tile").filter(
        has=page.get_by_role("heading", name=name, exact=True)
    )


def part(page: Page, name: str, camera: str = "cam1") -> Locator:
    return tile(page, camera).locator(f"[data-is={name}]")


def counter(page: Page, name: str) -> Locator:
    return tile(page).locator(".counts div").filter(has_text=name).locator("dd")


def test_pictures_and_numbers_move_by_themselves(stage: Stage, page: Page) -> None:
    stage.publish(1)
    page.goto(stage.url)
    until(lambda: number(part(page, "canvas")) == 1, page)
    expect(counter(page, "received")).to_have_text("1")

    stage.publish(2)

    until(lambda: number(part(page, "canvas")) == 2, page)
    expect(counter(page, "received")).to_have_text("2")
    expect(counter(page, "superseded")).to_have_text("1")
    expect(part(page, "state")).to_have_text("live")
    expect(part(page, "size")).to_have_text("320×180")


def test_an_empty_page_says_how_to_begin_and_a_new_camera_appears(stage: Stage, page: Page) -> None:
    page.goto(stage.url)
    code = page.locator("#empty code")
    expect(code.filter(has_text="curl")).to_contain_text(f"{stage.url}cameras/cam1/frames")
    expect(code.filter(has_text="python -m sender")).to_contain_text(stage.url.rstrip("/"))

    stage.publish(1)

    expect(tile(page)).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()


def test_a_result_and_its_picture_are_shown_and_the_raw_one_on_wish(
    stage: Stage, page: Page, make_frame: MakeFrame
) -> None:
    camera = stage.publish(1)
    drawn = dataclasses.replace(make_frame(99, width=320, height=180), seq=1)
    stage.workers.append(WORKER)
    stage.finish(camera, drawn, value={"boxes": [[1, 2, 3, 4]]})
    page.goto(stage.url)

    until(lambda: number(part(page, "canvas")) == 99, page)
    expect(part(page, "result")).to_have_text('{"boxes":[[1,2,3,4]]}')
    expect(counter(page, "processed")).to_have_text("1")
    expect(page.locator("#hooks li")).to_contain_text("hooks.motion:Motion")
    expect(page.locator("#hooks li")).to_contain_text("running")

    # By keyboard: from the chosen view to the one before it.
    tile(page).get_by_label("annotated").focus()
    page.keyboard.press("ArrowLeft")
    until(lambda: number(part(page, "canvas")) == 1, page)


def test_a_failing_hook_says_why(stage: Stage, page: Page) -> None:
    camera = stage.publish(7)
    broken = dataclasses.replace(
        WORKER, state="restarting", pid=None, restarts=2, last_error="died of SIGSEGV"
    )
    stage.workers.append(broken)
    stage.finish(camera, state="failed", error="ValueError: no plate")
    page.goto(stage.url)

    expect(part(page, "result")).to_have_text("ValueError: no plate")
    expect(part(page, "result-title")).to_have_text("hook failed · frame 7")
    expect(counter(page, "failed")).to_have_class("bad")
    worker = page.locator("#hooks li")
    for text in ("restarting", "2 restarts", "died of SIGSEGV"):
        expect(worker).to_contain_text(text)


def test_what_a_camera_or_a_hook_says_is_text(stage: Stage, page: Page) -> None:
    evil = "<img src=x onerror=window.owned=1>"
    camera = stage.publish(1, camera=evil)
    stage.finish(camera, value={evil: [evil]})
    stage.workers.append(dataclasses.replace(WORKER, hook=evil, last_error=evil))
    page.goto(stage.url)

    expect(tile(page, evil)).to_be_visible()
    expect(part(page, "result", evil)).to_contain_text(evil)
    expect(page.locator("#hooks .error")).to_contain_text(evil)
    until(lambda: number(part(page, "canvas", evil)) == 1, page)
    assert page.evaluate("window.owned") is None
    assert page.locator("main img").count() == 0


def test_a_stale_picture_is_greyed_and_says_since_when(stage: Stage, page: Page) -> None:
    stage.publish(1)
    page.goto(stage.url)
    expect(part(page, "state")).to_have_text("live")
    expect(part(page, "over")).to_be_hidden()

    stage.clock_offset = 12.0

    expect(part(page, "state")).to_have_text("stale")
    expect(part(page, "over")).to_have_text(re.compile(r"no frame for 1\d s"))
    expect(part(page, "canvas")).to_have_css("filter", re.compile(r"grayscale\(1\)"))
    stage.publish(2)
    expect(part(page, "state")).to_have_text("live")
    expect(part(page, "canvas")).to_have_css("filter", "none")


def test_the_page_says_when_the_receiver_is_gone_and_recovers(stage: Stage, page: Page) -> None:
    stage.publish(1)
    page.goto(stage.url)
    expect(page.locator("#link")).to_have_text("connected")
    expect(page.get_by_role("alert")).to_be_hidden()

    stage.stop()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(part(page, "state")).to_have_text("unknown")

    stage.restart()
    stage.publish(5)
    expect(page.get_by_role("alert")).to_be_hidden()
    until(lambda: number(part(page, "canvas")) == 5, page)


def test_twelve_cameras_move_on_one_page_next_to_another(
    stage: Stage, page: Page, browser: Browser
) -> None:
    names = [f"cam{n}" for n in range(10, 22)]
    for name in names:
        stage.publish(1, camera=name)
    second = browser.new_page()
    page.set_viewport_size({"width": 1500, "height": 2000})
    for each in (page, second):
        each.goto(stage.url)
        expect(each.locator("article.tile")).to_have_count(12)
    page.bring_to_front()

    for name in names:
        stage.publish(2, camera=name)

    for name in names:
        until(lambda name=name: number(part(page, "canvas", name)) == 2, page)  # type: ignore[misc]
    second.close()


@pytest.mark.parametrize("cameras", [0, 2])
def test_a_narrow_screen_has_no_sideways_scroll(stage: Stage, page: Page, cameras: int) -> None:
    for n in range(cameras):
        camera = stage.publish(1, camera="a-rather-long-name-of-a-camera-" * 2 + str(n))
        stage.finish(camera, value={"word": "x" * 500})
        stage.workers.append(dataclasses.replace(WORKER, last_error="trouble" * 50))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(stage.url)
    expect(page.locator("article.tile")).to_have_count(cameras)
    expect(page.locator("#link")).to_have_text("connected")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("header.bar").bounding_box() is not None


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
        until(lambda seq=seq: number(shown) == seq, page, within=0.7)  # type: ignore[misc]
