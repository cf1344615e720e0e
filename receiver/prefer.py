"""Prefer: what a caller wishes for its frames: to wait for results (RFC 7240), to lose none."""

from __future__ import annotations

import re

from shared.errors import FrameError

_WAIT = re.compile(r"""(?:^|[,;])\s*wait\s*=\s*(?:"([^"]*)"|([^\s,;]*))""", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)


def read_wait(prefer: str | None) -> float | None:
    """Return the seconds of `wait` in a Prefer header, None where it has none.

    Fractions of seconds are taken too. Raise FrameError (400) for a wait that is no number.
    """
    found = _WAIT.search(prefer or "")
    if found is None:
        return None
    text = found[1] if found[1] is not None else found[2]
    if not _SECONDS.fullmatch(text):
        raise FrameError(
            f"Prefer: expected wait=SECONDS, got wait={text[:80]!r}", status=400, reason="header"
        )
    return float(text)


def read_every(mode: str | None) -> bool:
    """Say whether every frame is to be processed; raise FrameError (400) for an unknown mode."""
    if mode not in (None, "latest", "every"):
        raise FrameError(
            f"mode: expected latest or every, got {mode[:80]!r}", status=400, reason="mode"
        )
    return mode == "every"
