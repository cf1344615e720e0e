"""How every Framepost program writes its log: to stderr, one line for each event.

As readable text, or as JSON for programs that collect logs. In both a message begins with the thing
that it is about (`camera door: ...`), which in JSON is a field besides.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

Format = Literal["text", "json"]

#: What a message is about: `camera door: ...`, `hook my.module:name: ...`, and what a hook printed,
#: `hook[1] | ...`.
_ABOUT = re.compile(
    r"(?P<kind>camera|hook|webhook|bus) (?P<name>\S+): |hook\[(?P<worker>\d+)\](?: \||:) "
)


class TextFormatter(logging.Formatter):
    """`14:05:01 sender   WARNING: camera door: lost ...`; tracebacks follow on lines of theirs."""

    def __init__(self, program: str, clean: Callable[[str], str] = str) -> None:
        super().__init__(f"%(asctime)s {program:<8} %(levelmark)s%(message)s", "%H:%M:%S")
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        record.levelmark = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        return self._clean(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `program`, `message`, `logger`.

    Where the message names it: `camera`, `hook`, `webhook`, `bus`, or `worker` (a number, of the
    worker that runs a hook). A traceback is the one field `exception`.
    """

    def __init__(self, program: str, clean: Callable[[str], str] = str) -> None:
        super().__init__()
        self._program = program
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        # Before it becomes JSON, whose escapes would hide where a password ends.
        message = self._clean(record.getMessage())
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "program": self._program,
            "message": message,
            "logger": record.name,
        }
        if about := _ABOUT.match(message):
            if about["worker"]:
                line["worker"] = int(about["worker"])
            else:
                line[about["kind"]] = about["name"]
        if record.exc_info:
            line["exception"] = self._clean(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = self._clean(record.stack_info)
        return json.dumps(line)


def configure(
    program: str,
    *,
    clean: Callable[[str], str] = str,
    level: str = "INFO",
    form: Format = "text",
) -> None:
    """Log to stderr with `program` in each line; `clean` sees, and may redact, every text.

    Only a `__main__` calls this. What ends a thread or the program is told in the same way.
    """
    handler = logging.StreamHandler(sys.stderr)
    kind = JsonFormatter if form == "json" else TextFormatter
    handler.setFormatter(kind(program, clean))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # By itself Python would write what a bug says as it is.
    sys.excepthook = _tell_end
    threading.excepthook = _tell_thread_end


def _tell_end(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical("ended by a bug", exc_info=(kind, error, traceback))


def _tell_thread_end(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or args.exc_type is SystemExit:
        return
    name = args.thread.name if args.thread else "unknown"
    exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger(__name__).critical("thread %s ended by a bug", name, exc_info=exc_info)
