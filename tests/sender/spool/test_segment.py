from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.spool.record import pack
from sender.spool.segment import SegmentReader, SegmentWriter, find, remove, sync_folder
from tests.sender.spool.doubles import frame, refusing

RECORDS = [pack(number, frame(number, size=30 + 40 * number)) for number in range(6)]


def read(content: bytes, begin: int = 0, end: int = 2**64) -> list[tuple[int, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        found = []
        with SegmentReader(path) as reader:
            while (record := reader.next(begin, end)) is not None:
                found.append(record)
        return found


def bodies(*numbers: int) -> list[tuple[int, bytes]]:
    return [(number, RECORDS[number][24:]) for number in numbers]


def test_records_come_back_in_order() -> None:
    assert read(b"".join(RECORDS)) == bodies(0, 1, 2, 3, 4, 5)


def test_only_the_records_that_are_asked_for_come() -> None:
    assert read(b"".join(RECORDS), 2, 5) == bodies(2, 3, 4)


@given(st.data())
def test_damage_costs_only_the_records_that_it_hits(data: st.DataObject) -> None:
    content = bytearray(b"".join(RECORDS))
    at = data.draw(st.integers(0, len(content) - 1))
    count = data.draw(st.integers(1, 200))
    content[at : at + count] = data.draw(st.binary(min_size=count, max_size=count))

    found = read(bytes(content[: sum(map(len, RECORDS))]))

    begin = 0
    for number, record in enumerate(RECORDS):
        if begin + len(record) <= at or begin >= at + count:
            assert (number, record[24:]) in found
        begin += len(record)
    assert all(record in bodies(0, 1, 2, 3, 4, 5) for record in found)


@given(st.integers(0, sum(map(len, RECORDS))))
def test_of_a_torn_file_the_whole_records_are_left(size: int) -> None:
    found = read(b"".join(RECORDS)[:size])

    whole, end = 0, 0
    while whole < len(RECORDS) and end + len(RECORDS[whole]) <= size:
        end += len(RECORDS[whole])
        whole += 1
    assert found == bodies(*range(whole))


@given(st.binary(max_size=500))
def test_any_bytes_end(data: bytes) -> None:
    assert read(data) == []


def test_what_lies_between_may_be_as_long_as_it_likes() -> None:
    junk = b"\xf5Fp1" * 270_000  # longer than one look, and each of them like a beginning

    assert read(RECORDS[0] + junk + RECORDS[1] + junk[:-2]) == bodies(0, 1)


def test_a_record_is_found_wherever_the_looks_for_it_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sender.spool.segment._CHUNK", 64)
    for pad in range(1, 140):
        assert read(b"j" * pad + RECORDS[0] + b"j" + RECORDS[1]) == bodies(0, 1), pad
        assert read(b"\xf5Fp1" * pad + RECORDS[0]) == bodies(0), pad


def test_what_looks_like_a_beginning_hides_no_record() -> None:
    begin = RECORDS[0][:4]

    assert read(b"j" + begin * 3 + RECORDS[0] + begin + RECORDS[1]) == bodies(0, 1)


def test_a_read_that_comes_in_parts_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pread = os.pread
    monkeypatch.setattr(
        "sender.spool.segment.os.pread", lambda fd, count, at: pread(fd, min(count, 7), at)
    )

    assert read(b"j" + b"".join(RECORDS)) == bodies(0, 1, 2, 3, 4, 5)


def test_what_was_sound_is_known_up_to_the_last_record_of_which_nothing_else_was_seen(
    tmp_path: Path,
) -> None:
    ends = list(accumulate(map(len, RECORDS[:4])))
    path = tmp_path / "x"
    content = b"".join(RECORDS[:4])
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with SegmentReader(path) as reader:
        sounds = [reader.sound]
        assert reader.next(1, 2) == bodies(1)[0]  # the first is passed over
        sounds.append(reader.sound)
        assert reader.next(2, 9) == bodies(2)[0]
        sounds.append(reader.sound)
        assert reader.next(2, 9) is None
        sounds.append(reader.sound)

    assert sounds == [0, ends[1], ends[2], ends[2]]
    with SegmentReader(path) as reader:
        assert reader.next(7, 9) is None
        assert reader.sound == ends[3]

    os.truncate(path, ends[3] - 1)
    with SegmentReader(path) as reader:
        assert reader.next(7, 9) is None
        assert reader.sound == ends[2]


def test_a_write_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SegmentWriter(tmp_path / "x")
    writer.append(RECORDS[0])
    with refusing(monkeypatch, errno.ENOSPC), pytest.raises(OSError, match="No space"):
        writer.append(RECORDS[1])
    writer.append(RECORDS[2])
    writer.close()

    assert (tmp_path / "x").read_bytes() == RECORDS[0] + RECORDS[2]


def test_what_the_disk_refuses_is_what_is_said_whatever_else_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def close_and_refuse(fd: int) -> None:
        close(fd)
        refuse()

    close = os.close
    writer = SegmentWriter(tmp_path / "x")
    monkeypatch.setattr("sender.spool.segment.os.ftruncate", refuse)
    with refusing(monkeypatch, errno.ENOSPC), pytest.raises(OSError, match="No space"):
        writer.append(RECORDS[0])
    assert writer.size == 0
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.close", close_and_refuse)
        writer.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    SegmentWriter(tmp_path / "x").close()

    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_new_file_takes_the_place_of_an_old_one_and_follows_no_link(tmp_path: Path) -> None:
    path, link = tmp_path / "x", tmp_path / "link"
    path.write_bytes(b"old" * 1000)
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        SegmentWriter(link)
    assert path.stat().st_size == 3000

    writer = SegmentWriter(path)
    assert writer.size == 0
    writer.append(RECORDS[0])
    writer.append(RECORDS[1])
    assert writer.size == path.stat().st_size == len(RECORDS[0] + RECORDS[1])
    assert (writer.path, path.read_bytes()) == (path, RECORDS[0] + RECORDS[1])
    writer.close()


def test_other_programs_inherit_no_file(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "x")
    with SegmentReader(tmp_path / "x") as reader:
        assert reader.path == tmp_path / "x"
        assert not os.get_inheritable(reader._fd)
        assert not os.get_inheritable(writer._fd)
    writer.close()


def test_the_disk_is_asked_to_keep_what_it_was_not_asked_for_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SegmentWriter(tmp_path / "x")
    asked: list[int] = []
    monkeypatch.setattr("sender.spool.segment.os.fdatasync", asked.append)

    def count(act: Callable[[], None]) -> int:
        before = len(asked)
        act()
        return len(asked) - before

    assert count(writer.sync) == 0
    assert count(lambda: writer.append(RECORDS[0])) == 0
    assert [count(writer.sync), count(writer.sync)] == [1, 0]
    assert count(lambda: writer.append(RECORDS[1], sync=True)) == 1
    assert count(writer.sync) == 0
    assert set(asked) == {writer._fd}
    writer.close()


def test_the_disk_is_asked_to_keep_the_names_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def note(fd: int) -> None:
        assert os.path.samestat(os.fstat(fd), tmp_path.stat())
        assert not os.get_inheritable(fd)
        asked.append(fd)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("sender.spool.segment.os.fsync", note)
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
    (fd,) = asked
    with pytest.raises(OSError, match="Bad file descriptor"):  # it was closed
        os.fstat(fd)

    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "x")


def test_a_file_that_is_removed_is_empty_for_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(RECORDS[0])
    with SegmentReader(path) as reader:
        remove(path)
        assert reader.next(0, 9) is None
        assert os.fstat(reader._fd).st_size == 0
    assert not path.exists()
    remove(path)  # gone already


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("cursor", "1.spool", f"{9:020d}.spool.bak", f"{12:020d}.spool", f"{3:020d}.spool"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f"{4:020d}.spool").mkdir()

    assert [first for first, _ in find(tmp_path)] == [3, 12]
