"""Reading what `GET /live` sends, as a program of somebody else would."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

Record = tuple[dict[str, Any], bytes]


def read_records(read: Callable[[int], bytes]) -> Iterator[Record]:
    """Yield (head, body) until the body ends; `read(n)` returns n bytes, fewer at the end only."""
    while len(lengths := read(8)) == 8:
        head, body = struct.unpack("!II", lengths)
        yield json.loads(read(head)), read(body)
    assert not lengths, "the body ends within a record"


def parse(data: bytes) -> Record:
    """Return the one record that is in `data`."""
    head, body = struct.unpack("!II", data[:8])
    assert len(data) == 8 + head + body
    return json.loads(data[8 : 8 + head]), data[8 + head :]
