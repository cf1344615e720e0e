"""What happens to single requests and replies is counted, and harms no frame.

The others of the topic take longer than a test may, even in their short form.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survive import catalogue, short
from tests.survive.trial import Trial

SHORT = ("exchange-matrix", "exchange-replies-cut")


@pytest.mark.parametrize(
    "trial", [trial for trial in catalogue.of("exchanges") if trial.name in SHORT], ids=str
)
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


@short.disarmed("exchanges")
def test_a_promise_is_broken_without_its_defence(trial: Trial, tmp_path: Path) -> None:
    short.break_it(trial, tmp_path)
