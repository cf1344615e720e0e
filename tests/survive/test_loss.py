"""Packets that get lost cost pictures, and show none that is not the camera's."""

from __future__ import annotations

from pathlib import Path

from tests.survive import short
from tests.survive.trial import Trial


@short.kept("loss")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


@short.disarmed("loss")
def test_a_promise_breaks_without_its_defence(trial: Trial, tmp_path: Path) -> None:
    short.break_it(trial, tmp_path)
