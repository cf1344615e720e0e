"""Pen: writes a spool's records, and begins a new file where one is full or old."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sender.spool.segment import Segment, SegmentWriter, remove, sync_folder

#: Never ask the disk, ask it by `Pen.sync`, or for each record.
Sync = Literal["none", "interval", "each"]
#: A file gets so many bytes, and so large a part of what the limits allow, at most.
_SEGMENT = 8_000_000
_PART = 8


class Pen:
    """Has one file open at most. For one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        limit: int,
        max_age: float | None,
        sync: Sync,
        clock: Callable[[], float],
    ) -> None:
        """`limit` is the bytes of all files, `max_age` how many seconds one may be kept."""
        self._folder = folder
        self._max_bytes = min(_SEGMENT, limit // _PART)
        self._max_seconds = None if max_age is None else max_age / _PART
        self._sync = sync
        self._clock = clock
        self._writer: SegmentWriter | None = None
        self._segment: Segment | None = None

    @property
    def path(self) -> Path | None:
        """The file that is written."""
        return None if self._segment is None else self._segment.path

    def write(self, record: bytes, number: int) -> Segment:
        """Return the file that the record is in now; raise OSError where the disk refuses it.

        What the segment says of itself is left to the caller.
        """
        if self._segment is not None and self._is_full(self._segment):
            self.close()
        if self._writer is None or self._segment is None:
            path = self._folder / Segment.name(number)
            now = self._clock()
            self._writer = SegmentWriter(path)
            self._segment = Segment(path, number, number, 0, now, now)
        self._writer.append(record, sync=self._sync == "each")
        if self._writer.size == len(record) and self._sync != "none":
            with suppress(
                OSError
            ):  # the record is there; its file's name, after a power cut, maybe
                sync_folder(self._folder)
        return self._segment

    def sync(self) -> None:
        """Wait until the disk has it all, whatever the policy; raise OSError."""
        if self._writer is not None:
            self._writer.sync()

    def close(self) -> None:
        """Begin a new file with the next record; raise OSError where the disk loses this one."""
        writer, segment = self._writer, self._segment
        self._writer = self._segment = None
        if writer is None or segment is None:
            return
        try:
            if self._sync != "none":
                writer.sync()
        finally:
            writer.close()
            if segment.bytes == 0:
                with suppress(OSError):
                    remove(segment.path)

    def drop(self) -> None:
        """Let go of the file, which is to be removed."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._segment = None

    def _is_full(self, segment: Segment) -> bool:
        age = self._clock() - segment.begun
        is_old = self._max_seconds is not None and age > self._max_seconds
        return segment.bytes >= self._max_bytes or (is_old and segment.bytes > 0)
