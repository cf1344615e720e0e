"""Sidecar: the lines beside a recording's pictures, which say what each of them is.

One JSON object a line: first {"recording": 1, "camera", "started", "width", "height"}; for each
picture {"frame": {"epoch", "seq", "captured_at", "received_at", "width", "height", "bytes",
"pts_ms"}} in the order of the pictures; as they come {"result": {...}} and {"event": {...}}; last,
where the recording was closed in order, {"end": {"frames"}}. After a crash the last line may be
torn, and whatever is no such line is passed over. `end` also has "seconds", from the first picture
to the last.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from shared.errors import FrameError
from shared.film import RecordingError
from shared.frame import check_camera
from shared.result_index import MAX_LINE, ResultIndex, read_lines, read_object

#: Which form of the lines this file knows.
VERSION = 1
#: An end is shorter than this.
_MAX_END = 1000


@dataclass(frozen=True, slots=True)
class FrameLine:
    """What a sidecar says of one picture. `pts` is milliseconds from the first one on."""

    epoch: str
    seq: int
    captured_at: float
    size: int
    pts: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What all lines together tell: the number of frames, the last one's `pts` in milliseconds, and
    whether the recording was closed in order."""

    frames: int
    last: int
    complete: bool


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
        for line in self._lines():
            found = _read_frame(line)
            if found is not None:
                yield found

    def results(self) -> ResultIndex:
        """Return the results by (camera, epoch, seq); raise RecordingError."""
        try:
            return ResultIndex(self.path)
        except OSError as exc:
            raise _unreadable(self.path, exc) from None

    def survey(self) -> Survey:
        """Take the last line's word; read all lines where that is none. Raise RecordingError."""
        end = _read_end(self._last_line())
        if end is not None:
            return end
        frames, complete, newest = 0, False, b""
        for line in self._lines():
            if line.startswith(b'{"frame"') and line.endswith(b"}\n"):
                frames += 1
                newest = line
            complete = line.startswith(b'{"end"') and read_object(line) is not None
        last = _read_frame(newest)
        return Survey(frames, last.pts if last is not None else 0, complete)

    def _last_line(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_END))
                return file.read().rpartition(b"\n{")[2]
        except OSError as exc:
            raise _unreadable(self.path, exc) from None

    def _lines(self) -> Iterator[bytes]:
        try:
            for _, line in read_lines(self.path):
                yield line
        except OSError as exc:
            raise _unreadable(self.path, exc) from None


def _unreadable(path: Path, exc: OSError) -> RecordingError:
    return RecordingError(f"{path}: cannot be read ({exc.strerror})")


def _read_frame(line: bytes) -> FrameLine | None:
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
            pts=_whole(facts["pts_ms"]),
        )
    except (KeyError, ValueError):
        return None


def _read_end(line: bytes) -> Survey | None:
    end = (read_object(b"{" + line) or {}).get("end")
    try:
        if isinstance(end, dict):
            return Survey(_whole(end["frames"]), round(_number(end["seconds"]) * 1000), True)
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
