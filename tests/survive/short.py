"""Short: the tests that every topic has, each trial in seconds; see test_accounts.py for how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import missing
from tests.survive import catalogue
from tests.survive.trial import Broken, Run, Trial, Unable

SEED = 1


def kept(topic: str) -> pytest.MarkDecorator:
    """Return what gives a test each `trial` of the topic."""
    return pytest.mark.parametrize("trial", catalogue.of(topic), ids=str)


def disarmed(topic: str) -> pytest.MarkDecorator:
    """Return what gives a test each `trial` of the topic that is quick to disarm."""
    chosen = [trial for trial in catalogue.of(topic) if trial.disarm and trial.disarm_quick]
    return pytest.mark.parametrize("trial", chosen, ids=str)


def keep(trial: Trial, folder: Path) -> None:
    """Run it in its short form; fail where it is broken, skip for want of a tool."""
    try:
        trial.run(Run(seed=SEED, folder=folder, quick=True))
    except Unable as exc:
        missing(trial.name, str(exc))


def break_it(trial: Trial, folder: Path) -> None:
    """Run it without its defence; fail where it is kept all the same."""
    try:
        with pytest.raises(Broken):
            trial.run(Run(seed=SEED, folder=folder, quick=True, disarmed=True))
    except Unable as exc:
        missing(trial.name, str(exc))
