"""Made-up names fill nothing."""

from __future__ import annotations

from pathlib import Path

from tests.survive import short
from tests.survive.trial import Trial


@short.kept("names")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)
