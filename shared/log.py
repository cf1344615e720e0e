"""How every Framepost program writes its log: to stderr, one readable line for each event."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable


class _Formatter(logging.Formatter):
    def __init__(self, program: str, clean: Callable[[str], str]) -> None:
        super().__init__(f"%(asctime)s {program:<8} %(levelmark)s%(message)s", "%H:%M:%S")
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        record.levelmark = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        return self._clean(super().format(record))


def configure(program: str, *, clean: Callable[[str], str] = str, level: str = "INFO") -> None:
    """Log to stderr with `program` in each line; `clean` sees, and may redact, every line.

    Only a `__main__` calls this.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(program, clean))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
