"""Sink: what every contestant's last process does with a picture, and notes of it.

The number and the time are read from the pixels, so that a figure counts only pictures that came
through whole, and does not trust what a library says of its own frames.
"""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from shared import pattern
from shared.codec import Image

#: The variable that names the file of notes.
VARIABLE = "BENCHMARK_NOTES"
#: The variable with the seconds that an algorithm takes for each picture besides; none by default.
WORK = "BENCHMARK_WORK"
_NOTE = struct.Struct("<?Idd")


@dataclass(frozen=True, slots=True)
class Note:
    """One picture at the end of its way."""

    #: Whether the mark was legible; without it, number and drawn are 0.
    is_legible: bool
    number: int
    #: Unix seconds: drawn into the picture, and looked at.
    drawn: float
    seen: float

    @property
    def latency(self) -> float:
        """Seconds from the time in the picture to the moment it was looked at."""
        return self.seen - self.drawn


class Sink:
    """Read each picture's mark, and append a note to the file. One thread at a time."""

    def __init__(self, path: str | None = None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(path or os.environ[VARIABLE], flags, 0o600)
        self._work = float(os.environ.get(WORK, 0))

    def take(self, image: Image) -> int | None:
        """Return the number in the picture (BGR or grey); None where it is illegible."""
        mark = pattern.read(image)
        seen = time.time()
        number, drawn = (0, 0.0) if mark is None else (mark.number, mark.time)
        os.write(self._file, _NOTE.pack(mark is not None, number, drawn, seen))
        if self._work:
            time.sleep(self._work)
        return None if mark is None else mark.number

    def close(self) -> None:
        os.close(self._file)


def read_notes(path: Path) -> list[Note]:
    """Return all notes so far, in the order in which they were taken."""
    data = path.read_bytes() if path.exists() else b""
    whole = len(data) - len(data) % _NOTE.size
    return [Note(*fields) for fields in _NOTE.iter_unpack(data[:whole])]
