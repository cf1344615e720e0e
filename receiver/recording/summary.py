"""Summaries: how long recordings are and what is in them, without reading their pictures."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.recording.shelf import Recording

_KEPT = 4096
#: The last line of a finished recording is within so many bytes of the end.
_TAIL = 4096
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in one recording; `complete` is false for one that broke off or goes on."""

    frames: int = 0
    seconds: float = 0.0
    events: int = 0
    complete: bool = False
    #: How far the .jsonl was read.
    read: int = 0


class Summaries:
    """Reads and remembers them. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Summary] = OrderedDict()

    def of(self, recording: Recording) -> Summary:
        """Return what is in it now; of one that goes on only what is new is read."""
        key = recording.camera, recording.name
        with self._lock:
            known = self._known.get(key, Summary())
        if not known.complete:
            with suppress(OSError):  # removed meanwhile
                known = _read(recording.jsonl, known)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    def facts(self, recording: Recording) -> dict[str, Any]:
        """Return it as the list of recordings shows it, JSON-able."""
        summary = self.of(recording)
        return {
            "camera": recording.camera,
            "name": recording.name,
            "started": recording.started,
            "seconds": summary.seconds,
            "frames": summary.frames,
            "bytes": recording.bytes,
            "complete": summary.complete,
            "events": summary.events,
        }


def _read(path: Path, known: Summary) -> Summary:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        end = _end(file.read(_TAIL))
        if end is not None:
            return end
        frames, events, at = known.frames, known.events, known.read
        last = b""
        file.seek(at)
        # Line by line: results may be long, and none of them is held.
        for line in iter(lambda: file.readline(_BLOCK), b""):
            if not line.endswith(b"\n") and len(line) < _BLOCK:
                break  # torn, or not written yet
            at += len(line)
            if line.startswith(b'{"frame":'):
                frames, last = frames + 1, line
            elif line.startswith(b'{"event":'):
                events += 1
    seconds = known.seconds
    with suppress(ValueError, TypeError, KeyError):
        seconds = json.loads(last)["frame"]["pts_ms"] / 1000
    return Summary(frames, seconds, events, read=at)


def _end(tail: bytes) -> Summary | None:
    """Return what the last line says, None when it is not the end of a recording."""
    line = tail.rstrip(b"\n").rpartition(b"\n")[2]
    try:
        end = json.loads(line)["end"]
        return Summary(int(end["frames"]), float(end["seconds"]), int(end["events"]), complete=True)
    except (ValueError, TypeError, KeyError):
        return None
