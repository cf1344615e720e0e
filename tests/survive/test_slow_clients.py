"""Slow clients harm only themselves."""

from __future__ import annotations

from pathlib import Path

from tests.survive import short
from tests.survive.trial import Trial


@short.kept("slow_clients")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


@short.disarmed("slow_clients")
def test_without_its_defence_it_is_broken(trial: Trial, tmp_path: Path) -> None:
    short.break_it(trial, tmp_path)
