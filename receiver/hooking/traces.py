"""Traces: what went wrong in a hook, in one line and in full, without the receiver's own lines."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

from shared.redact import redact

_RECEIVER = Path(__file__).parent.parent
_SHARED = _RECEIVER.parent / "shared"
_IMPORTLIB = str(Path(importlib.__file__).parent)
_MAX_TEXT = 500
#: Characters of a traceback, the last ones, and of one of its lines.
_MAX_TRACE = 7000
_MAX_LINE = 1000


def describe(exc: BaseException, file: Path | None) -> str:
    """Return `ValueError: what it said (my_hook.py:12)`, without passwords.

    The place is the innermost line in the hook's folder, else the innermost that is not ours.
    """
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if not is_own(f.filename)]
    near = [f for f in frames if file is not None and is_near(Path(f.filename), file)]
    places = near or frames
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    try:
        text = _cut(" ".join(str(exc)[: 4 * _MAX_TEXT].split()), _MAX_TEXT)
    except Exception:  # noqa: BLE001  # the user's class may be as broken as the rest
        text = "(its text cannot be read)"
    return f"{type(exc).__name__}{': ' if text else ''}{text}{place}"


def full(exc: BaseException) -> str:
    """Return the traceback as Python prints it, without passwords; of a long one the end."""
    shown = traceback.TracebackException.from_exception(exc)
    shown.stack = traceback.StackSummary.from_list(
        [f for f in shown.stack if not is_own(f.filename)]
    )
    lines = "".join(shown.format()).rstrip().splitlines()
    kept: list[str] = []
    size = 0
    while lines and size < _MAX_TRACE:
        kept.append(_cut(lines.pop(), _MAX_LINE))
        size += len(kept[-1]) + 1
    if lines:
        kept.append(f"... {len(lines)} lines left out ...")
    return "\n".join(reversed(kept))


def _cut(line: str, size: int) -> str:
    # Hidden first: half a URL does not show that a password stands in it.
    return redact(line[: 2 * size])[:size]


def is_near(path: Path, file: Path) -> bool:
    """Say whether `path` is the user's: in `file`'s folder or package, and not installed."""
    folder = file.parent
    while (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return path.is_relative_to(folder) and "site-packages" not in path.parts


def is_own(filename: str) -> bool:
    """Say whether a file is the receiver's, or Python's way of importing."""
    path = Path(filename)
    return (
        filename.startswith(("<frozen importlib", _IMPORTLIB))
        or path.is_relative_to(_RECEIVER)
        or path.is_relative_to(_SHARED)
    )
