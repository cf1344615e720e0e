"""Ledger: the results as lines, which are the same for the same frames and the same hook."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from receiver.result import Result
from shared.errors import FramepostError

STDOUT = Path("-")
_FACTS = ("camera", "epoch", "seq", "captured_at", "state", "result", "error")


class LedgerError(FramepostError):
    """Raised with one sentence when results cannot be written."""


class Ledger:
    """Write one JSON object a line. For one thread."""

    def __init__(self, path: Path) -> None:
        """`path` may be `-` for the standard output. Raise LedgerError."""
        self._is_watched = path == STDOUT
        self._name = "standard output" if self._is_watched else str(path)
        try:
            self._stream = _stdout() if self._is_watched else path.open("wb")
        except OSError as exc:
            raise self._failed(exc) from None

    def add(self, facts: dict[str, Any]) -> None:
        """Write a result; raise LedgerError."""
        try:
            self._stream.write(json.dumps(facts, separators=(",", ":")).encode() + b"\n")
            if self._is_watched:
                self._stream.flush()
        except OSError as exc:
            raise self._failed(exc) from None

    def close(self) -> None:
        """Raise LedgerError when the last lines cannot be written."""
        try:
            self._stream.close()
        except OSError as exc:
            raise self._failed(exc) from None

    def _failed(self, exc: OSError) -> LedgerError:
        return LedgerError(f"{self._name}: cannot be written ({exc.strerror})")


def _stdout() -> io.BufferedWriter:
    # A buffer of its own, so that a reader who goes away spoils only this one.
    return io.BufferedWriter(io.FileIO(sys.stdout.fileno(), "w", closefd=False))


def facts_of(result: Result, *, timings: bool) -> dict[str, Any]:
    """Return what a line says: of a result's facts those that are the same in each run.

    With `timings` also what decoding and the hook took, in milliseconds.
    """
    known = result.facts()
    facts = {name: known[name] for name in _FACTS}
    if timings:
        facts["timings"] = {name: known["timings"][name] for name in ("decode", "hook")}
    return facts
