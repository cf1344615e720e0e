"""Freshness: an old picture is never shown as if it were live."""

from __future__ import annotations

import re
import time
from itertools import count, pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.receiver.view.browser.seeing import comes_alive, connect, part, shows, tile, until
from tests.receiver.view.browser.stage import Stage

GREY = re.compile(r"grayscale\(1\)")


def test_a_stale_picture_is_greyed_and_says_since_when(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    comes_alive(stage.publish, page, 1)
    expect(part(page, "over")).to_be_hidden()

    stage.clock_offset = 12.0

    expect(part(page, "state")).to_have_text("stale")
    expect(part(page, "over")).to_have_text(re.compile(r"no frame for 1\d s"))
    expect(part(page, "canvas")).to_have_css("filter", GREY)
    comes_alive(stage.publish, page, 100)
    expect(part(page, "canvas")).to_have_css("filter", "none")


def test_a_camera_that_is_gone_says_so(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    stage.publish(1)
    shows(page, part(page, "canvas"), 1)

    stage.clock_offset = 100.0

    expect(part(page, "state")).to_have_text("gone")
    expect(part(page, "over")).to_have_text(re.compile(r"no frame for 10\d s"))
    expect(page.locator("#bar [data-is=summary]")).to_contain_text("1 gone")


def test_the_page_says_when_the_receiver_ends_and_recovers(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    stage.publish(1)
    link = page.get_by_role("status").first
    expect(link).to_have_text("connected")
    expect(page.locator("#trouble p")).to_be_hidden()
    shows(page, part(page, "canvas"), 1)

    stage.stop()

    expect(page.get_by_role("alert").first).to_contain_text("does not answer")
    expect(link).to_have_text("no connection")
    expect(part(page, "state")).to_have_text("unknown")
    expect(part(page, "over")).to_contain_text("no connection")
    expect(part(page, "canvas")).to_have_css("filter", GREY)
    stage.restart()
    stage.publish(5)
    shows(page, part(page, "canvas"), 5)
    expect(link).to_have_text("connected")
    expect(page.locator("#trouble p")).to_be_hidden()


def test_a_receiver_that_only_falls_silent_is_noticed_by_the_pages_own_clock(
    stage: Stage, page: Page
) -> None:
    connect(page, stage.url)
    stage.publish(1)
    shows(page, part(page, "canvas"), 1)

    stage.talks.clear()
    began = time.monotonic()

    expect(part(page, "state")).to_have_text("unknown", timeout=30_000)
    assert time.monotonic() - began > 2
    expect(part(page, "over")).to_have_text(re.compile(r"no connection · last frame .* ago"))
    expect(part(page, "canvas")).to_have_css("filter", GREY)
    stage.talks.set()
    comes_alive(stage.publish, page, 2)


def test_pauses_between_attempts_grow(stage: Stage, page: Page) -> None:
    page.goto(stage.url)
    expect(page.get_by_role("status").first).to_have_text("connected")
    at: list[float] = []
    page.on("requestfailed", lambda _: at.append(time.monotonic()))
    port = stage.port
    stage.stop()

    page.wait_for_timeout(6_000)

    stage.port = port
    stage.restart()
    pauses = [b - a for a, b in pairwise(at)]
    # 0.5, 1, 2, 4 s, each a quarter more or less.
    assert 2 <= len(pauses) <= 5, pauses
    assert pauses[-1] > pauses[0], pauses


def test_a_picture_that_does_not_decode_is_named_and_the_next_one_shown(
    stage: Stage, page: Page
) -> None:
    connect(page, stage.url)
    seqs = count(1)

    def is_named() -> bool:
        # Again and again: after 3 s without a frame that is said, not what the last one was.
        stage.publish(next(seqs), data=b"\xff\xd8 nothing that anybody could draw \xff\xd9")
        page.wait_for_timeout(500)
        return part(page, "over").all_inner_texts() == ["the picture does not decode"]

    until(is_named, page)
    comes_alive(stage.publish, page, next(seqs))
    expect(part(page, "over")).to_be_hidden()


def test_a_picture_that_lags_behind_its_camera_is_late(stage: Stage, page: Page) -> None:
    connect(page, stage.url)
    camera = stage.publish(1)
    shows(page, part(page, "canvas"), 1)

    # The camera goes on, but what comes of it cannot be drawn.
    deadline = time.monotonic() + 30
    while part(page, "state").text_content() != "late":
        assert time.monotonic() < deadline
        stage.publish(int(time.monotonic() * 100), data=b"\xff\xd8 broken \xff\xd9")
        page.wait_for_timeout(100)

    assert camera.state() == "live"
    expect(part(page, "over")).to_contain_text("old")
    expect(tile(page).locator("canvas").first).to_have_css("filter", GREY)


@pytest.mark.parametrize("reduced", ["reduce", "no-preference"])
def test_nothing_fades_for_those_who_want_no_motion(stage: Stage, page: Page, reduced: str) -> None:
    page.emulate_media(reduced_motion=reduced)  # type: ignore[arg-type]
    connect(page, stage.url)
    stage.publish(1)

    fades = part(page, "canvas").evaluate("(canvas) => getComputedStyle(canvas).transitionDuration")

    assert fades == ("0s" if reduced == "reduce" else "0.3s")


def test_a_camera_that_sends_the_same_picture_over_and_over_is_frozen(
    stage: Stage, page: Page
) -> None:
    connect(page, stage.url)
    data = stage.frame(7).data
    for seq in range(1, 5):
        stage.publish(seq, data=data)
        stage.clock_offset += 2

    expect(part(page, "state")).to_have_text("frozen")
    expect(part(page, "over")).to_have_text("frames come, but the picture never changes")
    comes_alive(stage.publish, page, 8)
    expect(part(page, "over")).to_be_hidden()
