"""Recovery: what an earlier run left in a spool's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sender.spool.segment import Segment, SegmentReader, find


@dataclass(frozen=True, slots=True)
class Left:
    """The segments that hold frames which are not settled, oldest first, and what to go on with."""

    segments: list[Segment]
    #: The oldest frame that is not settled, and the number of the next new one.
    head: int
    next: int
    #: Whether the last record was written only in part, or is damaged.
    is_torn: bool


def recover(folder: Path, settled: int, *, clock: Callable[[], float]) -> Left:
    """Look at what is there, and remove what is settled (all below the number) and what is torn;
    raise OSError.

    Only the last segment is read: how many frames the others hold, their names say.
    """
    found = find(folder)
    segments: list[Segment] = []
    next_number, is_torn = settled, False
    for place, (first, path) in enumerate(found):
        if place + 1 < len(found):
            end = found[place + 1][0]
        else:
            end, sound = _end_of(path, first)
            is_torn = sound < path.stat().st_size
            next_number = max(settled, end)
        if max(first, settled) >= end:
            with suppress(OSError):  # it is looked at again at the next start
                path.unlink()
            continue
        info = path.stat()
        size = sound if is_torn else info.st_size
        if is_torn:
            os.truncate(path, size)
        written = clock() - max(0.0, time.time() - info.st_mtime)
        segments.append(Segment(path, first, end, size, written, written))
    head = max(settled, segments[0].first) if segments else next_number
    return Left(segments, head, next_number, is_torn)


def _end_of(path: Path, first: int) -> tuple[int, int]:
    """Return one above the last sound record's number, and where in the file that one ends."""
    end = first
    try:
        with SegmentReader(path) as reader:
            while (record := reader.next(end, 2**64)) is not None:
                end = record[0] + 1
            return end, reader.sound
    except OSError:  # a bad sector, say; what there is shows when it is to be sent
        return max(end, first + 1), path.stat().st_size
