"""Secrets come out nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survive import short
from tests.survive.trial import Trial
from tests.survive.trials.canary import ALL_FORMS, PASSWORD


@short.kept("canary")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


@short.disarmed("canary")
def test_without_its_defence_a_promise_is_broken(trial: Trial, tmp_path: Path) -> None:
    short.break_it(trial, tmp_path)


@pytest.mark.parametrize(
    "form", ["u.s%40er%3Ap%40ss%2Fw%23rd%25", "dS5zQGVyOnBAc3MvdyNyZCU", PASSWORD]
)
def test_the_forms_that_are_looked_for_are_the_usual_ones(form: str) -> None:
    assert form in ALL_FORMS
