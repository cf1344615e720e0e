"""Value: what lies under a camera's key, raw or as base64, and the envelope beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from receiver.base64_text import decode, longest
from receiver.formats import is_picture
from receiver.raw import is_raw
from shared import json_envelope, redis_envelope, wire
from shared.errors import FrameError
from shared.wire import Envelope


@dataclass(frozen=True, slots=True)
class Value:
    """A picture's bytes, unchecked, and what its sender said of it."""

    picture: bytes
    envelope: Envelope
    media_type: str


def read_value(data: bytes, envelope: bytes, *, max_bytes: int) -> Value:
    """Return the picture in `data`; `envelope` is b"" where none lies there.

    Raise FrameError: 400 for what is neither a picture nor base64, or no envelope; 413 for a
    picture of more than `max_bytes`; 422 for one of another digest.
    """
    headers: Mapping[str, str] = {}
    if envelope:
        headers = redis_envelope.read(envelope, length=len(data))
    media_type = headers.get(json_envelope.MEDIA_TYPE, "")
    is_bare = is_picture(data) or is_raw(media_type)
    # Before it is decoded: what is longer was not fetched whole.
    _check_length(data, max_bytes if is_bare else longest(max_bytes))
    picture = data if is_bare else _from_base64(data)
    _check_length(picture, max_bytes)
    facts = wire.from_headers(headers)
    wire.check_digest(facts, picture)
    return Value(picture, facts, media_type)


def _check_length(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise FrameError(
            f"image: expected at most {limit} bytes, got more", status=413, reason="too_large"
        )


def _from_base64(data: bytes) -> bytes:
    try:
        return decode(data)
    except ValueError as exc:
        raise FrameError(
            f"image: expected a JPEG, PNG or WebP, or one as base64, got bytes that begin "
            f"{data[:12]!r} ({exc})",
            status=400,
            reason="base64",
        ) from None
