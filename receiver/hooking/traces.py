"""Traces: what went wrong in a hook, in one line and in full, without the receiver's own lines."""

from __future__ import annotations

import traceback
from pathlib import Path

_RECEIVER = Path(__file__).parent.parent
_SHARED = _RECEIVER.parent / "shared"
_MAX_TEXT = 500


def describe(exc: BaseException, file: Path | None) -> str:
    """Return `ValueError: what it said (my_hook.py:12)`.

    The place is the innermost line in the hook's folder, else the innermost that is not ours.
    """
    frames = [f for f in traceback.extract_tb(exc.__traceback__) if not is_own(f.filename)]
    near = [f for f in frames if file is not None and is_near(Path(f.filename), file)]
    places = near or frames
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    text = " ".join(str(exc).split())
    return f"{type(exc).__name__}{': ' if text else ''}{text[:_MAX_TEXT]}{place}"


def full(exc: BaseException) -> str:
    """Return the traceback as Python prints it."""
    shown = traceback.TracebackException.from_exception(exc)
    shown.stack = traceback.StackSummary.from_list(
        [f for f in shown.stack if not is_own(f.filename)]
    )
    return "".join(shown.format()).rstrip()


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
        filename.startswith("<frozen importlib")
        or path.is_relative_to(_RECEIVER)
        or path.is_relative_to(_SHARED)
    )
