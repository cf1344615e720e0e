"""Base64 text: a picture that came as text, in a form, in JSON, or in a Redis."""

from __future__ import annotations

import base64
import re

_DATA_URI = re.compile(rb"data:image/(?:jpeg|jpg|png|webp);base64,", re.IGNORECASE)
_LINE_BREAKS = b"\r\n"


def longest(max_bytes: int) -> int:
    """Return how long a body or value may be that holds a picture of `max_bytes` as base64."""
    return max_bytes * 4 // 3 + 64 * 1024


def decode(text: bytes) -> bytes:
    """Return what base64 text stands for, with or without the head of a data: URI.

    Raise ValueError for what is none.
    """
    prefix = _DATA_URI.match(text)
    encoded = text[prefix.end() :] if prefix else text
    # Line breaks are part of MIME's base64; anything else foreign is an error, never skipped.
    return base64.b64decode(encoded.translate(None, _LINE_BREAKS), validate=True)
