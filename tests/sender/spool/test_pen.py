"""When a new file is begun, and what the disk is asked to keep."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sender.spool.pen import Pen, Sync
from sender.spool.record import pack
from sender.spool.segment import Segment, find
from tests.sender.spool.doubles import Clock, files_open, frame, refusing

SIZE = len(pack(0, replace(frame(0, size=200), arrived=1000.0)))


def make(folder: Path, clock: Clock | None = None, **options: Any) -> Pen:
    given: dict[str, Any] = {"limit": 10**9, "max_age": None, "sync": "interval"}
    return Pen(folder, clock=clock or Clock(), **(given | options))


def put(pen: Pen, number: int) -> Segment:
    """Write a record of SIZE bytes, and note it as a spool does."""
    record = pack(number, replace(frame(number, size=200), arrived=1000.0))
    segment = pen.write(record, number)
    segment.bytes += len(record)
    segment.end = number + 1
    return segment


class Asked:
    """What the disk was asked to keep: how often what is in files, and how often names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.contents = self.names = 0
        monkeypatch.setattr("sender.spool.segment.os.fdatasync", self._note_content)
        monkeypatch.setattr("sender.spool.segment.os.fsync", self._note_name)

    def _note_content(self, _: int) -> None:
        self.contents += 1

    def _note_name(self, _: int) -> None:
        self.names += 1


def refuse(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_file_gets_an_eighth_of_the_limit(tmp_path: Path) -> None:
    pen = make(tmp_path, limit=8 * 3 * SIZE + 7)

    assert [put(pen, number).first for number in range(7)] == [0, 0, 0, 3, 3, 3, 6]
    assert [path.stat().st_size for _, path in find(tmp_path)] == [3 * SIZE, 3 * SIZE, SIZE]
    pen.close()


def test_a_new_file_begins_with_the_number_of_its_first_record(tmp_path: Path) -> None:
    clock = Clock()
    pen = make(tmp_path, clock)

    segment = pen.write(pack(7, frame(7)), 7)

    path = tmp_path / Segment.name(7)
    assert segment == Segment(path, 7, 7, 0, clock.now, clock.now)
    assert pen.path == path
    pen.close()


def test_a_file_gets_eight_megabytes_at_most(tmp_path: Path) -> None:
    pen = make(tmp_path, limit=10**12)
    put(pen, 0).bytes = 7_999_999
    assert put(pen, 1).first == 0
    put(pen, 2).bytes = 8_000_000
    assert put(pen, 3).first == 3
    pen.close()


def test_a_file_gets_an_eighth_of_the_time_that_frames_may_be_kept(tmp_path: Path) -> None:
    clock = Clock()
    pen = make(tmp_path, clock, max_age=80.0)
    firsts = []
    for number, passed in enumerate((0, 10, 0.5, 10, 0.5)):
        clock.now += passed
        firsts.append(put(pen, number).first)

    assert firsts == [0, 0, 2, 2, 4]
    assert put(pen, 5).begun == clock.now
    pen.close()


def test_a_file_in_which_nothing_could_be_written_is_used_on_and_removed_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    pen = make(tmp_path, clock, max_age=8.0)
    paths = []
    for number in range(2):
        with refusing(monkeypatch), pytest.raises(OSError, match="Input/output"):
            put(pen, number)
        paths.append(pen.path)
        clock.now += 100
    assert paths == [tmp_path / Segment.name(0)] * 2

    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.pen.remove", refuse)
        pen.close()
    assert len(find(tmp_path)) == 1  # as well as it can be done

    with refusing(monkeypatch), pytest.raises(OSError, match="Input/output"):
        put(pen, 0)
    pen.close()
    assert find(tmp_path) == []


@pytest.mark.parametrize(
    ("sync", "written", "synced", "closed"),
    [("none", (0, 0), 1, 1), ("interval", (0, 1), 1, 2), ("each", (3, 1), 3, 4)],
)
def test_the_disk_is_asked_as_often_as_was_said(
    sync: Sync,
    written: tuple[int, int],
    synced: int,
    closed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pen = make(tmp_path, sync=sync)
    asked = Asked(monkeypatch)
    for number in range(3):
        put(pen, number)
    assert (asked.contents, asked.names) == written
    pen.sync()
    assert asked.contents == synced

    put(pen, 3)
    pen.close()
    assert asked.contents == closed
    pen.sync()
    pen.close()
    assert asked.contents == closed
    put(pen, 4)
    assert asked.names == 2 * written[1]
    pen.close()


def test_a_disk_that_does_not_keep_the_name_has_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pen = make(tmp_path)
    monkeypatch.setattr("sender.spool.segment.os.fsync", refuse)
    path = put(pen, 0).path

    assert path.stat().st_size == SIZE
    pen.close()


def test_a_disk_that_loses_a_file_says_so_and_the_next_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pen = make(tmp_path)
    path = put(pen, 0).path
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.fdatasync", refuse)
        with pytest.raises(OSError, match="Input/output"):
            pen.close()

    assert (pen.path, files_open(path)) == (None, [])
    assert put(pen, 1).first == 1
    assert [first for first, _ in find(tmp_path)] == [0, 1]
    pen.close()


def test_a_file_that_is_let_go_stays_and_the_next_is_begun(tmp_path: Path) -> None:
    pen = make(tmp_path)
    pen.drop()
    path = put(pen, 0).path
    assert (pen.path, len(files_open(path))) == (path, 1)
    pen.drop()

    assert (pen.path, files_open(path)) == (None, [])
    assert put(pen, 1).first == 1
    assert [first for first, _ in find(tmp_path)] == [0, 1]
    pen.close()
