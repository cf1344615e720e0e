"""Rival: whether what a contestant needs is installed."""

from __future__ import annotations

from importlib.util import find_spec


def missing(*modules: str) -> str | None:
    """Say in a sentence which of `modules` are not installed; None when all are."""
    names = [module for module in modules if find_spec(module) is None]
    if not names:
        return None
    return f"{', '.join(names)}: not installed; pip install -r requirements-bench.txt"
