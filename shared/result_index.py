"""ResultIndex: the results in a file of lines, each found by its frame and read when asked for."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: A hook's value has at most a megabyte; a longer line is none of ours.
MAX_LINE = 4 << 20

#: Camera, epoch, seq.
Key = tuple[str, str, int]


def read_lines(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield each line and its offset; never more than `MAX_LINE` bytes of one are in memory.

    What is longer is left out. `start` is where a line begins. Raise OSError.
    """
    with path.open("rb") as file:
        at = file.seek(start)
        is_rest = False
        while piece := file.readline(MAX_LINE):
            ends = piece.endswith(b"\n")
            if not is_rest and (ends or len(piece) < MAX_LINE):
                yield at, piece
            is_rest = not ends
            at += len(piece)


def read_object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that the line is; None for anything else, such as a torn line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class ResultIndex:
    """Results by (camera, epoch, seq); in memory are some 20 bytes for each, whatever their size.

    Takes a recording's sidecar, whose results are {"result": {...facts...}}, and lines that are
    the facts themselves. All else in the file is passed over; of a frame's several results the
    last counts.
    """

    def __init__(self, *paths: Path) -> None:
        """Read the files once; raise OSError."""
        self._paths = paths
        hashes, places, files = array("q"), array("q"), array("l")
        for number, path in enumerate(paths):
            for at, line in read_lines(path):
                facts = _facts(line)
                if facts is not None:
                    hashes.append(hash(key_of(facts)))
                    places.append(at)
                    files.append(number)
        found = np.array(hashes, np.int64)
        order = np.argsort(found, kind="stable")
        self._hashes = found[order]
        self._places = np.array(places, np.int64)[order]
        self._files = np.array(files, np.int32)[order]

    def __len__(self) -> int:
        """Return the number of results, repeated ones too."""
        return len(self._hashes)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield every result's facts, in the order of the files; raise OSError."""
        for path in self._paths:
            for _, line in read_lines(path):
                facts = _facts(line)
                if facts is not None:
                    yield facts

    def get(self, camera: str, epoch: str, seq: int) -> dict[str, Any] | None:
        """Return the facts of that frame's result, or None; raise OSError."""
        key = (camera, epoch, seq)
        first = int(np.searchsorted(self._hashes, hash(key), "left"))
        end = int(np.searchsorted(self._hashes, hash(key), "right"))
        for number in reversed(range(first, end)):
            facts = self._read(number)
            if facts is not None and key_of(facts) == key:
                return facts
        return None

    def _read(self, number: int) -> dict[str, Any] | None:
        with self._paths[self._files[number]].open("rb") as file:
            file.seek(int(self._places[number]))
            return _facts(file.readline(MAX_LINE))


def key_of(facts: dict[str, Any]) -> Key:
    """Return the frame that a result is of."""
    return facts["camera"], facts["epoch"], facts["seq"]


def _facts(line: bytes) -> dict[str, Any] | None:
    if line.startswith(b'{"frame"'):  # most lines of a sidecar, if there is no hook
        return None
    found = read_object(line)
    facts = found["result"] if found is not None and found.keys() == {"result"} else found
    if not isinstance(facts, dict):
        return None
    camera, epoch, seq = facts.get("camera"), facts.get("epoch"), facts.get("seq")
    is_named = isinstance(camera, str) and isinstance(epoch, str) and type(seq) is int
    is_timed = isinstance(facts.get("captured_at"), (int, float))
    return facts if is_named and is_timed and "state" in facts else None
