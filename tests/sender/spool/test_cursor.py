from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sender.spool.cursor import Cursor, Locked
from tests.sender.spool.doubles import files_open


def numbers(path: Path, *moves: int) -> int:
    cursor = Cursor(path)
    for number in moves:
        cursor.move(number)
    cursor.close()
    return cursor.number


def test_the_newest_number_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cursor"

    numbers(path, 1, 2, 3, 9, 10)

    assert numbers(path) == 10


def test_a_new_one_begins_with_0(tmp_path: Path) -> None:
    assert numbers(tmp_path / "cursor") == 0


@pytest.mark.parametrize("torn_at", [*range(0, 25, 4), *range(28, 53, 4)])
def test_a_torn_write_costs_one_number_at_most(tmp_path: Path, torn_at: int) -> None:
    path = tmp_path / "cursor"
    numbers(path, 6, 7)
    content = bytearray(path.read_bytes())
    content[torn_at : torn_at + 4] = b"torn"
    path.write_bytes(content)

    assert numbers(path) in (6, 7)


@pytest.mark.parametrize("content", [b"", b"x", bytes(56), b"x" * 1000])
def test_any_content_is_a_number(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cursor"
    path.write_bytes(content)

    assert numbers(path, 5) == 5
    assert numbers(path) == 5


def test_nobody_else_can_open_it(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path / "cursor")
    with pytest.raises(Locked):
        Cursor(tmp_path / "cursor")
    cursor.close()

    Cursor(tmp_path / "cursor").close()


def test_it_is_exact_until_the_machine_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cursor"
    numbers(path, 1)
    same = Cursor(path)
    same.close()
    boot = tmp_path / "boot_id"
    boot.write_text("5b7c9a4e-6f0a-4a0e-9a50-1b8f5f3f2a11\n")
    monkeypatch.setattr("sender.spool.cursor._BOOT", boot)
    other = Cursor(path)
    other.close()

    assert (same.is_exact, other.is_exact) == (True, False)


def test_its_file_is_its_owner_s_alone_and_no_link(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    cursor = Cursor(path)
    inherited = [os.get_inheritable(fd) for fd in files_open(path)]
    cursor.close()
    (tmp_path / "link").symlink_to(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert inherited == [False]
    with pytest.raises(OSError, match="link"):
        Cursor(tmp_path / "link")


def test_who_finds_it_locked_is_told_so_and_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    cursor = Cursor(path)

    with pytest.raises(Locked, match=f"^{path} is in use$"):
        Cursor(path)

    assert len(files_open(path)) == 1
    cursor.close()
    assert files_open(path) == []


@pytest.mark.parametrize("told", [None, "", "no hexadecimal digits", "ab" * 40])
def test_where_the_machine_does_not_say_when_it_was_started_the_number_is_kept(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = tmp_path / "boot_id"
    if told is not None:
        boot.write_text(told, encoding="ascii")
    monkeypatch.setattr("sender.spool.cursor._BOOT", boot)
    cursor = Cursor(tmp_path / "cursor")
    cursor.move(7)
    cursor.close()

    again = Cursor(tmp_path / "cursor")
    again.close()

    assert (again.number, again.is_exact) == (7, True)
    assert (tmp_path / "cursor").stat().st_size == 2 * 28


def test_a_disk_that_does_not_give_it_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(5, "Input/output error")

    def close_and_refuse(fd: int) -> None:
        close(fd)
        refuse()

    path = tmp_path / "cursor"
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.cursor.os.pread", refuse)
        with pytest.raises(OSError, match="Input/output"):
            Cursor(path)
    assert files_open(path) == []

    close = os.close
    cursor = Cursor(path)
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.cursor.os.close", close_and_refuse)
        cursor.close()
    assert files_open(path) == []
