"""Retry-After: how long a server asks to be left alone."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

_LONGEST = 60.0


def read_retry_after(value: str | None) -> float:
    """Return the seconds that a Retry-After asks for, 0 to 60; 0 where it says nothing legible.

    RFC 9110, section 10.2.3: seconds, or a date.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(_LONGEST, float(text[:9]))
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, min(_LONGEST, seconds))
