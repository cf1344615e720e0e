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

from receiver.result import Result
from shared.frame import EncodedFrame
from shared.view.renditions import Rendition, View

CONTENT_TYPE = "application/vnd.framepost.records"
_LENGTHS = struct.Struct("!II")


def record(kind: str, facts: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return one record; `facts` are JSON-able and stand in the head beside the kind."""
    return _join(json.dumps({"kind": kind, **facts}, separators=(",", ":")).encode(), body)


def record_line(kind: str, line: bytes) -> bytes:
    """Return the record of facts that are JSON already, an object that is not empty."""
    return _join(b'{"kind":"%s",%s' % (kind.encode(), line[1:]), b"")


def picture(
    rendition: Rendition[EncodedFrame],
    *,
    view: View,
    frame: EncodedFrame,
    state: str,
    result: Result | None = None,
) -> bytes:
    """Return the record of a picture as it is sent now; `frame` is the camera's own.

    With `view` annotated the rendition is of that frame as the hook left it, and `result` is what
    the hook made of this very frame.
    """
    facts = picture_facts(rendition, view=view, frame=frame, state=state)
    if result is not None:
        facts["result"] = result.facts()
    return record("picture", facts, rendition.data)


def picture_facts(
    rendition: Rendition[EncodedFrame], *, view: View, frame: EncodedFrame, state: str
) -> dict[str, Any]:
    """Return what the head of every picture says."""
    return {
        "camera": frame.camera,
        "view": view,
        "epoch": frame.epoch,
        "seq": frame.seq,
        "captured_at": frame.captured_at,
        "age_seconds": round(frame.age(), 3),
        "width": rendition.width,
        "height": rendition.height,
        "frame_width": frame.width,
        "frame_height": frame.height,
        "state": state,
    }


def _join(head: bytes, body: bytes) -> bytes:
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))
