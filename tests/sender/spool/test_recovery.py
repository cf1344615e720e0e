"""What a start makes of the files that an earlier run left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sender.spool.record import pack
from sender.spool.recovery import Left, recover
from sender.spool.segment import Segment
from tests.sender.spool.doubles import frame


def write(folder: Path, first: int, end: int, more: bytes = b"") -> Path:
    """Write a file with the frames of [first, end), and `more` behind them."""
    path = folder / Segment.name(first)
    path.write_bytes(b"".join(pack(seq, frame(seq)) for seq in range(first, end)) + more)
    return path


def look(folder: Path, settled: int = 0) -> Left:
    return recover(folder, settled, clock=lambda: 1000.0)


def ranges(left: Left) -> list[tuple[int, int]]:
    return [(segment.first, segment.end) for segment in left.segments]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_empty_folder_goes_on_where_it_was(tmp_path: Path) -> None:
    assert look(tmp_path, 7) == Left([], 7, 7, False)


def test_the_names_say_what_is_in_all_files_but_the_last(tmp_path: Path) -> None:
    paths = [write(tmp_path, 200, 203), write(tmp_path, 203, 205), write(tmp_path, 205, 208)]
    paths[0].write_bytes(b"not read")

    left = look(tmp_path)

    assert (left.head, left.next, left.is_torn) == (200, 208, False)
    assert ranges(left) == [(200, 203), (203, 205), (205, 208)]
    assert [segment.path for segment in left.segments] == paths
    assert [segment.bytes for segment in left.segments] == [path.stat().st_size for path in paths]


@pytest.mark.parametrize(
    ("settled", "head", "following", "kept"),
    [
        (0, 0, 8, [0, 3, 5]),
        (2, 2, 8, [0, 3, 5]),
        (3, 3, 8, [3, 5]),
        (4, 4, 8, [3, 5]),
        (7, 7, 8, [5]),
        (8, 8, 8, []),
        (20, 20, 20, []),
    ],
)
def test_what_is_settled_is_removed(
    settled: int, head: int, following: int, kept: list[int], tmp_path: Path
) -> None:
    for first, end in ((0, 3), (3, 5), (5, 8)):
        write(tmp_path, first, end)

    left = look(tmp_path, settled)

    assert (left.head, left.next) == (head, following)
    assert [segment.first for segment in left.segments] == kept
    assert names(tmp_path) == [Segment.name(first) for first in kept]


def test_what_cannot_be_removed_is_left_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError

    for first, end in ((0, 3), (3, 5)):
        write(tmp_path, first, end)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        assert ranges(look(tmp_path, 3)) == [(3, 5)]

    assert len(names(tmp_path)) == 2
    assert ranges(look(tmp_path, 3)) == [(3, 5)]
    assert len(names(tmp_path)) == 1


def test_a_torn_end_is_cut_off(tmp_path: Path) -> None:
    write(tmp_path, 0, 3)
    torn = pack(5, frame(5))[:-1]
    path = write(tmp_path, 3, 5, more=torn)
    whole = path.stat().st_size - len(torn)

    left = look(tmp_path)

    assert (ranges(left), left.next, left.is_torn) == ([(0, 3), (3, 5)], 5, True)
    assert left.segments[1].bytes == path.stat().st_size == whole
    assert not look(tmp_path).is_torn


def test_how_long_ago_a_file_was_written_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 2000.0)
    for first, written in ((0, 1950.0), (1, 2000.0), (2, 2500.0)):  # the clock was set back
        os.utime(write(tmp_path, first, first + 1), (written, written))

    left = look(tmp_path)

    assert [segment.written for segment in left.segments] == [950.0, 1000.0, 1000.0]
    assert [segment.begun for segment in left.segments] == [950.0, 1000.0, 1000.0]


@pytest.mark.parametrize(("reads", "end"), [(0, 6), (2, 6), (4, 7)])
def test_a_last_file_that_cannot_be_read_on_holds_what_was_read_and_at_least_one_frame(
    reads: int, end: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, 5, 8)
    size = path.stat().st_size
    pread = os.pread
    left_over = reads

    def read(fd: int, count: int, at: int) -> bytes:
        nonlocal left_over
        if left_over == 0:
            raise OSError(5, "Input/output error")
        left_over -= 1
        return pread(fd, count, at)

    monkeypatch.setattr("sender.spool.segment.os.pread", read)
    left = look(tmp_path)

    assert (ranges(left), left.next, left.is_torn) == ([(5, end)], end, False)
    assert left.segments[0].bytes == path.stat().st_size == size
