"""Segment: one recording while it is written, an .mkv of JPEGs and a .jsonl that tells of them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from receiver.recording.matroska import Matroska
from shared.frame import EncodedFrame
from shared.sidecar import name_of

#: By which a camera's time may fall behind the last frame's, in seconds: clocks are slewed.
_BACK = 1.0


class Segment:
    """One camera's frames of one epoch and size. For one thread.

    What the disk refuses is raised as OSError; `abandon` is what is left to do then. The .jsonl is
    locked (flock) until the end, so that whoever makes room leaves it alone.
    """

    def __init__(
        self, folder: Path, frame: EncodedFrame, *, started: float, seconds: float
    ) -> None:
        """Begin with `frame`, which is added by `add`; `started` is Unix seconds of our clock.

        It takes frames that were captured less than `seconds` after the first.
        """
        self._folder = folder
        self._video, self._log, self.name = _create(folder, frame, started)
        self._log_size = 0
        self._lines: list[bytes] = []
        self._epoch, self._shape = frame.epoch, (frame.width, frame.height)
        self._first_seq, self._last_seq = frame.seq, frame.seq - 1
        self._first_at = self._last_at = frame.captured_at
        self._seconds = seconds
        self._pts = -1
        self.frames = self._events = 0
        #: Frames of which nothing stands in the .jsonl yet.
        self.untold = 0
        size = {"width": frame.width, "height": frame.height}
        self._tell({"recording": 1, "camera": frame.camera, "started": round(started, 6), **size})

    @property
    def size(self) -> int:
        """Bytes that are in the files."""
        return self._video.size + self._log_size

    def fits(self, frame: EncodedFrame) -> bool:
        """Tell whether `frame` goes on from what is here."""
        return (
            frame.epoch == self._epoch
            and frame.seq > self._last_seq
            and (frame.width, frame.height) == self._shape
            and frame.captured_at > self._last_at - _BACK
            and frame.captured_at < self._first_at + self._seconds
        )

    def add(self, frame: EncodedFrame, jpeg: bytes, *, received_at: float) -> None:
        """Write a frame that fits; `received_at` is Unix seconds."""
        since = round((frame.captured_at - self._first_at) * 1000)
        pts = max(since, self._pts + 1)
        offset = self._video.write(jpeg, pts)
        self._pts, self._last_seq, self._last_at = pts, frame.seq, frame.captured_at
        self.frames += 1
        self.untold += 1
        facts = {
            "epoch": frame.epoch,
            "seq": frame.seq,
            "captured_at": frame.captured_at,
            "received_at": round(received_at, 6),
            "width": frame.width,
            "height": frame.height,
            "bytes": len(jpeg),
            "pts_ms": pts,
            "offset": offset,
        }
        self._tell({"frame": facts})

    def holds(self, epoch: str, seq: int) -> bool:
        """Tell whether a result for this frame belongs here."""
        return epoch == self._epoch and self._first_seq <= seq <= self._last_seq

    def add_result(self, facts: Mapping[str, Any]) -> None:
        self._tell({"result": facts})

    def add_event(self, reason: str, at: float) -> None:
        self._events += 1
        self._tell({"event": {"reason": reason, "at": round(at, 6)}})

    def flush(self) -> None:
        """Write the lines of what was added; the pictures are written already."""
        if not self._lines:
            return
        data = b"".join(self._lines)
        written = 0
        while written < len(data):
            written += os.pwrite(self._log, data[written:], self._log_size + written)
        self._log_size += written
        self._lines.clear()
        self.untold = 0

    def end_video(self) -> None:
        """Finish the .mkv; results may still be added."""
        self._video.close()

    def close(self) -> None:
        """Write the end, after `end_video`."""
        seconds = max(self._pts, 0) / 1000
        self._tell({"end": {"frames": self.frames, "seconds": seconds, "events": self._events}})
        try:
            self.flush()
        finally:
            os.close(self._log)

    def abandon(self) -> int:
        """Close what can be closed, without an end; remove it where it holds no frame.

        Return how many frames are lost that `add` took and no `flush` has told of.
        """
        self._video.close()
        with suppress(OSError):
            os.ftruncate(self._log, self._log_size)
        with suppress(OSError):
            os.close(self._log)
        if self.frames == self.untold:
            for path in files_of(self._folder, self.name):
                with suppress(OSError):  # a disk that broke is read-only from then on
                    path.unlink(missing_ok=True)
        return self.untold

    def _tell(self, line: Mapping[str, Any]) -> None:
        self._lines.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _create(folder: Path, frame: EncodedFrame, started: float) -> tuple[Matroska, int, str]:
    """Return the .mkv, the locked .jsonl, and what both are called."""
    folder.mkdir(exist_ok=True)
    at = started
    while True:
        name = name_of(at)
        mkv, jsonl = files_of(folder, name)
        size = {"width": frame.width, "height": frame.height}
        try:
            video = Matroska(mkv, **size, title=frame.camera, started=started)
            break
        except FileExistsError:  # the clock was set back, or another receiver records here
            at += 0.001
    try:
        log = os.open(jsonl, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError:
        video.close()
        mkv.unlink()
        raise
    with suppress(OSError):  # a file system without locks
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return video, log, name


def files_of(folder: Path, name: str) -> tuple[Path, Path]:
    """Return a recording's .mkv and .jsonl."""
    return folder / f"{name}.mkv", folder / f"{name}.jsonl"
