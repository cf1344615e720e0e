"""A spool's files are read one behind the other, and what in them is no frame is passed over."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from sender.spool.record import pack
from sender.spool.segment import Segment
from sender.spool.stored import StoredReader
from tests.sender.spool.doubles import files_open, frame


def write(folder: Path, first: int, end: int) -> Path:
    path = folder / Segment.name(first)
    path.write_bytes(b"".join(pack(seq, frame(seq)) for seq in range(first, end)))
    return path


def numbers(reader: StoredReader, path: Path, begin: int, end: int) -> list[int]:
    found = []
    while (stored := reader.read(path, begin, end)) is not None:
        found.append(stored.number)
        begin = stored.number + 1
    return found


def test_one_file_is_open_at_a_time(tmp_path: Path) -> None:
    first, second = write(tmp_path, 0, 3), write(tmp_path, 3, 5)
    reader = StoredReader("cam1", own=0, fresh=0)

    assert numbers(reader, first, 0, 3) == [0, 1, 2]
    assert len(files_open(first)) == 1
    assert numbers(reader, second, 3, 5) == [3, 4]
    assert (files_open(first), len(files_open(second))) == ([], 1)
    reader.close()
    reader.close()
    assert files_open(second) == []


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, 0, 3)
    reader = StoredReader("cam1", own=0, fresh=0)
    assert reader.read(path, 0, 3) is not None

    # A reader that began anew would find it.
    assert numbers(reader, path, 0, 3) == [1, 2]
    reader.close()


def test_a_frame_says_whose_it_is_and_whether_an_earlier_run_may_have_sent_it(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, 0, 4)
    reader = StoredReader("door", own=2, fresh=1)
    found = [reader.read(path, number, 4) for number in range(4)]
    reader.close()

    assert [stored.again for stored in found if stored] == [True, False, False, False]
    assert {stored.frame.camera for stored in found if stored} == {"door"}
    # Captured in 2001, as the head says: only of its own frames this run knows better.
    old = time.monotonic() - 1e8
    assert [stored.frame.arrived < old for stored in found if stored] == [True, True, False, False]


def test_a_record_that_is_no_frame_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / Segment.name(0)
    empty = pack(0, replace(frame(0), data=b""))
    path.write_bytes(empty + pack(1, frame(1)))
    reader = StoredReader("cam1", own=0, fresh=0)

    assert numbers(reader, path, 0, 2) == [1]
    reader.close()


def test_a_file_that_is_gone_has_no_frames_and_one_that_cannot_be_read_says_so(
    tmp_path: Path,
) -> None:
    reader = StoredReader("cam1", own=0, fresh=0)

    assert reader.read(tmp_path / Segment.name(0), 0, 9) is None
    with pytest.raises(IsADirectoryError):
        reader.read(tmp_path, 0, 9)
    reader.close()
