"""Frames come over UDP as far as the line lets them, and no others."""

from __future__ import annotations

from pathlib import Path

from tests.survive import short
from tests.survive.trial import Trial


@short.kept("udp")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


@short.disarmed("udp")
def test_a_promise_is_broken_without_its_defence(trial: Trial, tmp_path: Path) -> None:
    short.break_it(trial, tmp_path)
