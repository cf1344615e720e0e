"""Charts: the last minutes of a camera, as lines and in words."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.receiver.view.browser.seeing import large, part
from tests.receiver.view.browser.stage import Stage

LOST = ("superseded", "failed", "refused", "duplicate")
STAGES = ("send", "network", "queue", "decode", "hook")


def minutes(seconds: int = 60, gap: range = range(0)) -> dict[str, Any]:
    """Return what GET /history tells of one camera: 25 a second, of which 20 were processed."""
    now = int(time.time())

    def column(value: float) -> list[float | None]:
        return [None if n in gap else value for n in range(seconds)]

    return {
        "at": [now - seconds + 1 + n for n in range(seconds)],
        "received": column(25.0),
        "processed": column(20.0),
        "shown": column(10.0),
        "lost": {
            why: column(4.0 if why == "superseded" else 1.0 * (why == "failed")) for why in LOST
        },
        "ms": {stage: column(2.0) for stage in STAGES},
    }


def sample(at: float, received: float) -> dict[str, Any]:
    return {
        "at": at,
        "received": received,
        "processed": 20.0,
        "shown": 10.0,
        "lost": dict.fromkeys(LOST, 0.0),
        "ms": dict.fromkeys(STAGES, 2.0),
    }


def test_a_tile_shows_the_last_minutes_and_says_them_in_words(stage: Stage, page: Page) -> None:
    stage.history["cam1"] = minutes()
    stage.publish(1)
    page.goto(stage.url)

    flow = part(page, "flow-chart")
    expect(flow).to_have_attribute(
        "aria-label",
        "Frames per second, last 60 seconds: "
        "received now 25.0 per second, mean 25.0 per second, most 25.0 per second; "
        "processed now 20.0 per second, mean 20.0 per second, most 20.0 per second; "
        "shown now 10.0 per second, mean 10.0 per second, most 10.0 per second",
    )
    expect(part(page, "in")).to_have_text("25.0")
    expect(part(page, "processed")).to_have_text("20.0")
    expect(part(page, "latency")).to_have_text("10.0 ms")
    expect(part(page, "loss")).to_have_text("5.0/s")
    expect(part(page, "loss")).to_have_class("bad")
    # What there is none of has no line.
    losses = part(page, "loss-chart")
    expect(losses.locator("[data-series=superseded]")).not_to_have_attribute("d", "")
    expect(losses.locator("[data-series=refused]")).to_have_attribute("d", "")


def test_stages_are_stacked(stage: Stage, page: Page) -> None:
    stage.history["cam1"] = minutes()
    stage.publish(1)
    page.goto(stage.url)
    expect(part(page, "latency")).to_have_text("10.0 ms")

    tops = part(page, "latency-chart").evaluate(
        "(svg) => [...svg.querySelectorAll('path')].map((path) => path.getBBox().y)"
    )

    assert tops == sorted(tops, reverse=True)
    assert len(set(tops)) == 5


def test_new_samples_are_added_and_a_gap_stays_a_gap(stage: Stage, page: Page) -> None:
    stage.history["cam1"] = minutes(gap=range(20, 40))
    stage.publish(1)
    page.goto(stage.url)
    line = part(page, "flow-chart").locator("[data-series=received]")
    expect(part(page, "in")).to_have_text("25.0")
    assert (line.get_attribute("d") or "").count("M") == 2

    stage.samples["cam1"] = sample(time.time() + 2, 12.0)

    expect(part(page, "in")).to_have_text("12.0")
    expect(part(page, "flow-chart")).to_have_attribute(
        "aria-label", re.compile("last 61 seconds: received now 12.0 per second")
    )


def test_the_charts_go_on_where_the_receivers_clock_was_set_back(stage: Stage, page: Page) -> None:
    stage.history["cam1"] = minutes()
    stage.publish(1)
    page.goto(stage.url)
    expect(part(page, "in")).to_have_text("25.0")

    stage.samples["cam1"] = sample(time.time() - 30, 12.0)

    expect(part(page, "in")).to_have_text("12.0")
    expect(part(page, "flow-chart")).to_have_attribute(
        "aria-label", re.compile(r"last 3\d seconds: received now 12.0 per second")
    )


def test_the_large_view_has_a_legend_with_the_newest_numbers(stage: Stage, page: Page) -> None:
    stage.history["cam1"] = minutes()
    stage.publish(1)
    page.goto(stage.url)
    part(page, "open").click()

    legend = large(page, "latency-legend")
    expect(legend.locator("li")).to_have_count(5)
    expect(legend.locator("[data-series=network]")).to_have_text("network2.0 ms")
    expect(large(page, "loss-legend").locator("[data-series=superseded]")).to_have_text(
        "superseded4.0"
    )
    expect(large(page, "flow-most")).to_have_text("25.0")
