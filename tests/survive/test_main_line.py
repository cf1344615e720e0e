"""Frames come through the main line in order, and it comes back."""

from __future__ import annotations

from pathlib import Path

from tests.survive import short
from tests.survive.trial import Trial


@short.kept("main_line")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)
