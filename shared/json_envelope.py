"""What HTTP says of a frame in headers, as facts for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import wire

MEDIA_TYPE = "Content-Type"

_TEXTS = {"epoch": wire.EPOCH, "media_type": MEDIA_TYPE, "digest": wire.DIGEST, "trace": wire.TRACE}
_TIMES = {"captured_at": wire.CAPTURED_AT, "sent_at": wire.SENT_AT}
_NAMES = _TEXTS | {"seq": wire.SEQ} | _TIMES


def to_facts(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return what a POST would say with `headers`, JSON-able."""
    facts: dict[str, Any] = {n: headers[h] for n, h in _TEXTS.items() if h in headers}
    facts["seq"] = int(headers[wire.SEQ])
    return facts | {name: float(headers[header]) for name, header in _TIMES.items()}


def to_headers(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that say the same. What they hold is not looked at."""
    given = {name: facts[name] for name in _NAMES if facts.get(name) is not None}
    return {
        _NAMES[name]: wire.format_time(value) if isinstance(value, float) else str(value)
        for name, value in given.items()
    }
