from __future__ import annotations

import logging

import pytest

from shared.trouble import Trouble


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.INFO)
    return caplog.messages


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def trouble(now: list[float]) -> Trouble:
    logger = logging.getLogger("test")
    return Trouble("cam1", over="all is well", logger=logger, settle=1.0, clock=lambda: now[0])


def test_each_kind_is_told_once_and_its_end_once(
    trouble: Trouble, now: list[float], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        now[0] += 0.5
        trouble.happened("timeout", "no answer")
        trouble.happened("refused", "refused")
    for _ in range(50):
        now[0] += 0.5
        trouble.worked()

    assert caplog.messages == [
        "cam1: no answer",
        "cam1: refused",
        "cam1: all is well after 24.5 s and 100 failures",
    ]


def test_what_works_every_other_time_is_told_once(
    trouble: Trouble, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        now[0] += 0.1
        trouble.happened("413", "too large")
        trouble.worked()

    assert caplog.messages == ["cam1: too large"]


def test_trouble_that_comes_back_is_told_again(
    trouble: Trouble, now: list[float], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        trouble.happened("timeout", "no answer")
        now[0] += 2
        trouble.worked()

    assert len(caplog.messages) == 4
