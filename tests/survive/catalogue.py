"""Catalogue: every trial there is, in the order of their topics and files."""

from __future__ import annotations

import importlib
import pkgutil

from tests.survive import trials
from tests.survive.trial import Trial


def topics() -> list[str]:
    """Return the names of the modules in tests/survive/trials."""
    return sorted(module.name for module in pkgutil.iter_modules(trials.__path__))


def of(topic: str) -> list[Trial]:
    """Return the trials of one topic."""
    found: list[Trial] = importlib.import_module(f"{trials.__name__}.{topic}").TRIALS
    return found


def every() -> dict[str, Trial]:
    """Return all trials by name; raise ValueError where two have the same."""
    found: dict[str, Trial] = {}
    for topic in topics():
        for trial in of(topic):
            if trial.name in found:
                raise ValueError(f"two trials are called {trial.name}")
            found[trial.name] = trial
    return found
