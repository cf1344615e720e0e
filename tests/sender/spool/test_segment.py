from __future__ import annotations

import errno
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.spool.record import pack
from sender.spool.segment import SegmentReader, SegmentWriter, find, remove
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
    junk = b"\xf5Fp1" * 700_000  # longer than one look, and each of them like a beginning

    assert read(RECORDS[0] + junk + RECORDS[1] + junk[:-2]) == bodies(0, 1)


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


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    SegmentWriter(tmp_path / "x").close()

    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_file_that_is_removed_is_empty_for_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(RECORDS[0])
    with SegmentReader(path) as reader:
        remove(path)
        assert reader.next(0, 9) is None
    remove(path)  # gone already


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("cursor", "1.spool", f"{9:020d}.spool.bak", f"{12:020d}.spool", f"{3:020d}.spool"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f"{4:020d}.spool").mkdir()

    assert [first for first, _ in find(tmp_path)] == [3, 12]
