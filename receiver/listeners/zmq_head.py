"""Head: what stands before a picture in imageZMQ's form: whose it is, and of which kind.

A message has two parts: JSON with `msg`, a text, and the picture. Where `dtype` and `shape` stand
there too, the picture is an array; else it is a JPEG. Our sender adds `framepost`, its envelope.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from shared import json_envelope, wire
from shared.errors import FrameError
from shared.wire import Envelope

#: Bytes that one may have.
MAX_HEAD = 4096
ENVELOPE = "framepost"
_NAME = 64
_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]+")
#: What a side can be; whether so many pixels are taken is looked at with all pictures.
_SIDE = range(1, 100_000)


@dataclass(frozen=True, slots=True)
class Head:
    """`media_type` is "" where the picture's own bytes say what it is."""

    camera: str
    envelope: Envelope
    media_type: str


def read_head(text: bytes, *, camera: str = "") -> Head:
    """Read a message's first part; `camera` is its camera whatever the text says.

    Raise FrameError (400, 415).
    """
    if len(text) > MAX_HEAD:
        raise _bad("message", f"JSON of at most {MAX_HEAD} bytes", f"{len(text)}")
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise _bad("message", 'JSON such as {"msg": "cam1"}', repr(text[:40]))
    envelope = facts.get(ENVELOPE, {})
    if not isinstance(envelope, dict):
        raise _bad(ENVELOPE, "an object", repr(envelope)[:40])
    return Head(
        camera=camera or name_of(facts.get("msg")),
        envelope=wire.from_headers(json_envelope.to_headers(envelope)),
        media_type=_read_array(facts) if "dtype" in facts or "shape" in facts else "",
    )


def name_of(text: object) -> str:
    """Return the camera's name that a text stands for: what a name may not hold becomes a '-'.

    Raise FrameError (400) where nothing is left.
    """
    if not isinstance(text, str):
        raise _bad("msg", "a text", repr(text)[:40])
    name = _FOREIGN.sub("-", text).lstrip("-_.")[:_NAME]
    if not name:
        raise _bad("msg", "a text with a letter or digit in it", repr(text[:40]))
    return name


def _read_array(facts: dict[str, Any]) -> str:
    """Return the media type of an array of pixels: height x width, or height x width x BGR."""
    dtype, shape = facts.get("dtype"), facts.get("shape")
    if dtype != "uint8":
        raise _bad("dtype", "uint8", repr(dtype)[:40], status=415, reason="format")
    if not isinstance(shape, list) or not all(type(side) is int for side in shape):
        raise _bad("shape", "[height, width, 3]", repr(shape)[:40])
    height, width, *channels = shape if len(shape) in (2, 3) else (0, 0)
    if channels not in ([], [1], [3]) or height not in _SIDE or width not in _SIDE:
        raise _bad("shape", "[height, width, 3] or [height, width]", repr(shape)[:80])
    kind = "bgr" if channels == [3] else "gray"
    return f"application/x-raw-{kind}; width={width}; height={height}"


def _bad(
    what: str, expected: str, got: str, *, status: int = 400, reason: str = "header"
) -> FrameError:
    return FrameError(f"{what}: expected {expected}, got {got}", status=status, reason=reason)
