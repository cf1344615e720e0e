"""Stored: a frame of the spool as it is read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sender.spool.record import unpack
from sender.spool.segment import SegmentReader
from shared.frame import EncodedFrame


@dataclass(frozen=True, slots=True)
class Stored:
    """`number` is its record's. `again`: the receiver may have had it in an earlier run of ours."""

    number: int
    frame: EncodedFrame
    again: bool


class StoredReader:
    """Reads one file at a time, and goes on in it where it was. For one thread."""

    def __init__(self, camera: str, *, own: int, fresh: int) -> None:
        """`own` is the first record of this run, `fresh` the first that no earlier one has sent."""
        self._camera = camera
        self._own = own
        self._fresh = fresh
        self._reader: SegmentReader | None = None

    def read(self, path: Path, begin: int, end: int) -> Stored | None:
        """Return the first sound frame that is numbered in [begin, end), None without any.

        Raise OSError where the disk does not give it; a file that is gone has no frames.
        """
        try:
            if self._reader is None or self._reader.path != path:
                self.close()
                self._reader = SegmentReader(path)
            while (record := self._reader.next(begin, end)) is not None:
                number, body = record
                frame = unpack(body, self._camera, is_own=number >= self._own)
                if frame is not None:
                    return Stored(number, frame, again=number < self._fresh)
        except FileNotFoundError:
            pass
        return None

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
