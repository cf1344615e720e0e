from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.limits import Limits
from shared.control import Control


def wishing(limits: Limits, **wish: object) -> Limits:
    limits.hear(Control(**wish))  # type: ignore[arg-type]
    return limits


def test_without_a_wish_our_own_settings_hold() -> None:
    limits = Limits("cam1", fps=10, size=(640, 480), quality=70)

    assert (limits.fps, limits.interval, limits.quality) == (10, 0.1, 70)
    assert limits.size_of(1280, 720) == (640, 480)
    assert Limits("cam1").size_of(1281, 721) == (1281, 721)
    assert Limits("cam1").interval == 0


@pytest.mark.parametrize(
    ("own", "wished", "fps"), [(None, 5, 5), (10, 5, 5), (5, 10, 5), (10, None, 10)]
)
def test_the_smaller_rate_holds(own: float | None, wished: float | None, fps: float) -> None:
    limits = wishing(Limits("cam1", fps=own), fps=wished)

    assert limits.fps == fps
    assert limits.interval == 1 / fps


@pytest.mark.parametrize(("own", "wished", "quality"), [(80, 70, 70), (60, 70, 60), (80, None, 80)])
def test_the_lower_quality_holds(own: int, wished: int | None, quality: int) -> None:
    assert wishing(Limits("cam1", quality=own), quality=wished).quality == quality


@pytest.mark.parametrize(
    ("own", "picture", "box", "size"),
    [
        pytest.param(None, (1280, 720), (640, 360), (640, 360), id="the same shape"),
        pytest.param(None, (1280, 720), (640, 640), (640, 360), id="a box that is too high"),
        pytest.param(None, (1280, 720), (1280, 180), (320, 180), id="a box that is too wide"),
        pytest.param(None, (640, 360), (1280, 720), (640, 360), id="pictures never grow"),
        pytest.param((320, 180), (1280, 720), (640, 360), (320, 180), id="our own is smaller"),
        pytest.param((800, 800), (1280, 720), (400, 300), (300, 300), id="our own shape is kept"),
        pytest.param(None, (1279, 719), (640, 360), (640, 358), id="sides are even"),
        pytest.param(None, (16384, 2), (100, 100), (100, 2), id="a side of nothing"),
    ],
)
def test_pictures_fit_in_the_box(
    own: tuple[int, int] | None,
    picture: tuple[int, int],
    box: tuple[int, int],
    size: tuple[int, int],
) -> None:
    assert wishing(Limits("cam1", size=own), size=box).size_of(*picture) == size


@given(
    picture=st.tuples(st.integers(2, 16384), st.integers(2, 16384)),
    box=st.tuples(st.integers(2, 16384), st.integers(2, 16384)),
)
def test_nothing_is_sent_that_is_larger_than_wished(
    picture: tuple[int, int], box: tuple[int, int]
) -> None:
    size = wishing(Limits("cam1"), size=box).size_of(*picture)

    assert all(2 <= side <= most for side, most in zip(size, box, strict=True))
    assert all(side <= most for side, most in zip(size, picture, strict=True))


def test_a_wish_that_is_taken_back_is_lifted() -> None:
    limits = wishing(Limits("cam1"), fps=1, size=(64, 48), quality=10)
    limits.hear(None)

    assert limits.obeyed is None
    assert (limits.fps, limits.quality, limits.size_of(640, 480)) == (None, 80, (640, 480))


def test_who_is_told_not_to_obey_does_not() -> None:
    limits = wishing(Limits("cam1", obey=False), fps=1, size=(64, 48), quality=10)

    assert limits.obeyed is None
    assert (limits.fps, limits.quality, limits.size_of(640, 480)) == (None, 80, (640, 480))


def test_a_change_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    limits = Limits("cam1")
    for wish in (None, Control(fps=5), Control(fps=5), Control(quality=50), None, None):
        limits.hear(wish)
    Limits("cam2", obey=False).hear(Control(fps=5))

    assert caplog.messages == [
        "camera cam1: the receiver wishes fps=5",
        "camera cam1: the receiver wishes quality=50",
        "camera cam1: the receiver takes frames as they are again",
        "camera cam2: the receiver wishes fps=5; not obeyed",
    ]
