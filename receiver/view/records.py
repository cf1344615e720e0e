"""Records: the form of a body that goes on and carries many cameras' pictures, and words of them.

A record is the length of its head and the length of its body, each as an unsigned 32-bit number in
network order, then the head, a JSON object in UTF-8, then the body: a JPEG, or nothing. The head's
`kind` says what it is; a reader skips kinds that it does not know.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.framepost.records"
_LENGTHS = struct.Struct("!II")


def record(kind: str, facts: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return one record; `facts` are JSON-able and stand in the head beside the kind."""
    head = json.dumps({"kind": kind, **facts}, separators=(",", ":")).encode()
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))
