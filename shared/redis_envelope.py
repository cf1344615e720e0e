"""The envelope of a picture that lies in a Redis: what HTTP says in headers, as JSON beside it.

It stands under the picture's key and `:envelope`, for as long as the picture. Programs that know
only the picture leave it alone. `bytes` tells whether it belongs to the value that stands there:
such a program may have put another picture under the key. Over UDP the same stands before the
picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared import json_envelope
from shared.errors import FrameError

SUFFIX = ":envelope"
#: One is never longer.
MAX_ENVELOPE = 4096


def write(headers: Mapping[str, str], *, length: int) -> bytes:
    """Return what stands beside a value of `length` bytes that a POST would send with `headers`."""
    facts = json_envelope.to_facts(headers) | {"bytes": length}
    return json.dumps(facts, separators=(",", ":")).encode()


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
    return json_envelope.to_headers(facts) if facts.get("bytes", length) == length else {}
