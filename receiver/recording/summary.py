"""Summaries: how long recordings are and what is in them, without reading their pictures."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from receiver.recording.shelf import Recording
from shared.errors import RecordingError
from shared.sidecar import Survey

_KEPT = 4096


class Summaries:
    """Reads and remembers them. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Survey] = OrderedDict()

    def of(self, recording: Recording) -> Survey:
        """Return what is in it now; of one that goes on only what is new is read."""
        key = recording.camera, recording.name
        with self._lock:
            known = self._known.get(key, Survey())
        if not known.complete:
            with suppress(RecordingError):  # removed meanwhile
                known = recording.sidecar.survey(known)
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
            "seconds": summary.last / 1000,
            "frames": summary.frames,
            "bytes": recording.bytes,
            "complete": summary.complete,
            "events": summary.events,
        }
