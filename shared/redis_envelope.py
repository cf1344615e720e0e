"""The envelope of a picture that lies in a Redis: what HTTP says in headers, as JSON beside it.

It stands under the picture's key and `:envelope`, for as long as the picture. Programs that know
only the picture leave it alone. `bytes` tells whether it belongs to the value that stands there:
such a program may have put another picture under the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared import wire
from shared.errors import FrameError

SUFFIX = ":envelope"
#: One is never longer.
MAX_ENVELOPE = 4096
MEDIA_TYPE = "Content-Type"

_TEXTS = {"epoch": wire.EPOCH, "media_type": MEDIA_TYPE, "digest": wire.DIGEST, "trace": wire.TRACE}
_TIMES = {"captured_at": wire.CAPTURED_AT, "sent_at": wire.SENT_AT}


def write(headers: Mapping[str, str], *, length: int) -> bytes:
    """Return what stands beside a value of `length` bytes that a POST would send with `headers`."""
    facts: dict[str, Any] = {n: headers[h] for n, h in _TEXTS.items() if h in headers}
    facts["seq"] = int(headers[wire.SEQ])
    facts |= {name: float(headers[header]) for name, header in _TIMES.items()}
    return json.dumps(facts | {"bytes": length}, separators=(",", ":")).encode()


def read(text: bytes, *, length: int) -> dict[str, str]:
    """Return the headers that say the same; none where the envelope is another value's.

    Raise FrameError (400) for what is no envelope. What the headers hold is not looked at.
    """
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise FrameError(
            f'envelope: expected JSON such as {{"seq": 7, "bytes": {length}}}, got {text[:40]!r}',
            status=400,
            reason="header",
        )
    if facts.get("bytes", length) != length:
        return {}
    names = _TEXTS | {"seq": wire.SEQ} | _TIMES
    given = {name: facts[name] for name in names if facts.get(name) is not None}
    return {
        names[name]: wire.format_time(value) if isinstance(value, float) else str(value)
        for name, value in given.items()
    }
