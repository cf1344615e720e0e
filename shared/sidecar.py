"""Sidecar: the lines beside a recording's pictures, which say what each of them is.

One JSON object a line: first {"recording": 1, "camera", "started", "width", "height"}; for each
picture {"frame": {"epoch", "seq", "captured_at", "received_at", "width", "height", "bytes",
"pts_ms"}} in the order of the pictures; as they come {"result": {...}} and {"event": {...}}; last,
where the recording was closed in order, {"end": {"frames"}}. After a crash the last line may be
torn, and whatever is no such line is passed over. `end` also has "seconds", from the first picture
to the last, and the number of "events"; `frame` also has "offset", where its JPEG begins in the
film. The files are called by the time of the first frame, in UTC, as 20261121T140501.123Z.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from shared.errors import FrameError, RecordingError
from shared.frame import check_camera
from shared.result_index import MAX_LINE, ResultIndex, read_lines, read_object

#: Which form of the lines this file knows.
VERSION = 1
#: An end is shorter than this.
_MAX_END = 1000
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class FrameLine:
    """What a sidecar says of one picture. `pts` is milliseconds from the first one on."""

    epoch: str
    seq: int
    captured_at: float
    #: Bytes; and where they begin in the film, None where that is not said.
    size: int
    offset: int | None
    pts: int
    #: Pixels, 0 where that is not said.
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What all lines together tell; `complete` says whether the recording was closed in order."""

    frames: int = 0
    #: The last frame's `pts`, in milliseconds.
    last: int = 0
    complete: bool = False
    events: int = 0
    #: How far the lines were read, in bytes; 0 where the last one told all.
    read: int = 0


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar whose first line was read. Nothing of the rest is kept in memory."""

    path: Path
    camera: str
    #: Unix seconds.
    started: float

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the first line; raise RecordingError where it is no sidecar's."""
        try:
            with path.open("rb") as file:
                head = read_object(file.readline(MAX_LINE))
        except OSError as exc:
            raise _unreadable(path, exc) from None
        if head is None or "recording" not in head:
            raise RecordingError(
                f'{path}: expected a recording\'s lines, the first {{"recording": {VERSION}, ...}};'
                " it belongs to something else"
            )
        if head["recording"] != VERSION:
            raise RecordingError(
                f"{path}: expected a recording of version {VERSION}, got {head['recording']!r:.40}"
            )
        try:
            return cls(path, check_camera(str(head.get("camera"))), _number(head["started"]))
        except (FrameError, KeyError, ValueError):
            raise RecordingError(
                f'{path}: expected "camera" and "started" in its first line'
            ) from None

    def frames(self) -> Iterator[FrameLine]:
        """Yield what it says of the pictures, in their order; raise RecordingError."""
        for _, line in self.lines():
            found = read_frame(line)
            if found is not None:
                yield found

    def results(self) -> ResultIndex:
        """Return the results by (camera, epoch, seq); raise RecordingError."""
        try:
            return ResultIndex(self.path)
        except OSError as exc:
            raise _unreadable(self.path, exc) from None

    def survey(self, known: Survey | None = None) -> Survey:
        """Take the last line's word; where that is none, read the lines, those after what is
        `known` already. Raise RecordingError."""
        end = _read_end(self._last_line())
        if end is not None:
            return end
        known = known or Survey()
        frames, events, read = known.frames, known.events, known.read
        complete, newest = False, b""
        for at, line in self.lines(read):
            if not line.endswith(b"\n"):
                break  # torn, or not written yet
            read = at + len(line)
            if line.startswith(b'{"frame"'):
                frames, newest = frames + 1, line
            elif line.startswith(b'{"event"'):
                events += 1
            complete = line.startswith(b'{"end"') and read_object(line) is not None
        last = read_frame(newest)
        return Survey(frames, known.last if last is None else last.pts, complete, events, read)

    def lines(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield each line and its offset, from the offset `start` on; raise RecordingError."""
        try:
            yield from read_lines(self.path, start)
        except OSError as exc:
            raise _unreadable(self.path, exc) from None

    def _last_line(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_END))
                return file.read().rpartition(b"\n{")[2]
        except OSError as exc:
            raise _unreadable(self.path, exc) from None


def _unreadable(path: Path, exc: OSError) -> RecordingError:
    return RecordingError(f"{path}: cannot be read ({exc.strerror})")


def name_of(started: float) -> str:
    """Return what a recording that began at `started`, Unix seconds, is called."""
    at = datetime.fromtimestamp(started, UTC)
    return f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}Z"


def read_name(name: str) -> float | None:
    """Return the Unix seconds that a recording's name says, None where it says none."""
    if _NAME.fullmatch(name):
        with suppress(ValueError):
            return datetime.fromisoformat(name).timestamp()
    return None


def read_frame(line: bytes) -> FrameLine | None:
    """Return what a line says of a frame; None for any other line."""
    if not line.startswith(b'{"frame"'):
        return None
    facts = (read_object(line) or {}).get("frame")
    if not isinstance(facts, dict):
        return None
    try:
        return FrameLine(
            epoch=_text(facts["epoch"]),
            seq=_whole(facts["seq"]),
            captured_at=_number(facts["captured_at"]),
            size=_whole(facts["bytes"]),
            offset=_whole(facts["offset"]) if "offset" in facts else None,
            pts=_whole(facts["pts_ms"]),
            width=_whole(facts.get("width", 0)),
            height=_whole(facts.get("height", 0)),
        )
    except (KeyError, ValueError):
        return None


def _read_end(line: bytes) -> Survey | None:
    end = (read_object(b"{" + line) or {}).get("end")
    try:
        if isinstance(end, dict):
            last = round(_number(end["seconds"]) * 1000)
            return Survey(_whole(end["frames"]), last, True, _whole(end.get("events", 0)))
    except (KeyError, ValueError):
        pass
    return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)
