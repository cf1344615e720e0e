"""Amounts in settings: bytes and seconds, with their units."""

from __future__ import annotations

import re

_SIZES = {"b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZES |= {f"{unit}b": size for unit, size in _SIZES.items() if unit != "b"}
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]{1,2})", re.ASCII)


def parse_size(text: str) -> int:
    """Read bytes such as 500MB, 1.5 TB or 1G, of powers of 1000; raise ValueError."""
    return round(_parse(text, _SIZES, "a size such as 500MB, 20GB or 1.5TB"))


def parse_age(text: str) -> float:
    """Read seconds such as 7d, 12h or 90m; raise ValueError."""
    return _parse(text, _AGES, "an age such as 12h, 7d or 4w")


def _parse(text: str, units: dict[str, int], expected: str) -> float:
    match = _AMOUNT.fullmatch(text.strip())
    unit = units.get(match[2].lower()) if match else None
    if match is None or unit is None or float(match[1]) <= 0:
        raise ValueError(f"expected {expected}, got {text[:80]!r}")
    return float(match[1]) * unit
