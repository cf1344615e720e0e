"""What goes into a spool comes out, once, in order; and what does not is counted."""

from __future__ import annotations

import errno
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sender.spool.cursor import Locked
from sender.spool.record import pack
from sender.spool.segment import find
from sender.spool.stored import Stored
from shared.frame import EncodedFrame
from shared.latest import Closed
from tests.sender.spool.doubles import Clock, drain, frame, kill, open_spool, refusing, take


def segments(folder: Path) -> list[int]:
    return [first for first, _ in find(folder)]


def used(folder: Path) -> int:
    return sum(path.stat().st_size for _, path in find(folder))


def test_frames_come_out_in_order(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(5):
        spool.append(frame(seq))
    assert take(spool).frame.camera == "cam1"

    assert drain(spool) == [0, 1, 2, 3, 4]
    assert spool.next(0) is None
    assert spool.folder == tmp_path
    spool.close()


def test_a_frame_that_is_put_back_comes_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(2):
        spool.append(frame(seq))
    spool.put_back(take(spool))

    assert take(spool).frame.seq == 0
    assert spool.stock().waiting == 2
    spool.close()


def test_after_a_kill_all_that_was_not_settled_is_there(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(5):
        spool.append(frame(seq))
    spool.settle(take(spool))
    take(spool)
    kill(spool)

    spool = open_spool(tmp_path)
    assert spool.stock().recovered == 4
    spool.append(frame(0, epoch="e2"))
    assert drain(spool) == [1, 2, 3, 4, 0]
    spool.close()


def test_only_the_first_frame_after_a_kill_may_have_been_sent(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(3):
        spool.append(frame(seq))
    kill(spool)

    spool = open_spool(tmp_path)
    spool.append(frame(3))
    flags = []
    while spool.stock().waiting:
        stored = take(spool)
        flags.append(stored.again)
        spool.settle(stored)
    assert flags == [True, False, False, False]
    spool.close()


def test_after_a_power_cut_each_of_them_may_have_been_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path / "spool")
    for seq in range(4):
        spool.append(frame(seq))
    spool.settle(take(spool))
    kill(spool)
    boot = tmp_path / "boot_id"
    boot.write_text("5b7c9a4e-6f0a-4a0e-9a50-1b8f5f3f2a11\n")
    monkeypatch.setattr("sender.spool.cursor._BOOT", boot)

    spool = open_spool(tmp_path / "spool")
    flags = []
    while spool.stock().waiting:
        stored = take(spool)
        flags.append(stored.again)
        spool.settle(stored)
    assert flags == [True, True, True]
    spool.close()


def test_a_torn_end_is_left_out_and_counted(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(3):
        spool.append(frame(seq))
    kill(spool)
    ((_, path),) = find(tmp_path)
    os.truncate(path, path.stat().st_size - 10)

    spool = open_spool(tmp_path)
    stock = spool.stock()
    assert (stock.recovered, stock.damaged, stock.waiting) == (3, 1, 2)
    kill(spool)

    spool = open_spool(tmp_path)
    assert (spool.stock().recovered, spool.stock().damaged) == (2, 0)  # it is told once
    spool.append(frame(9))
    assert drain(spool) == [0, 1, 9]
    spool.close()


def test_a_damaged_frame_is_left_out_and_counted(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for seq in range(3):
        spool.append(frame(seq))
    kill(spool)
    ((_, path),) = find(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    spool = open_spool(tmp_path)
    assert drain(spool) == [0, 2]
    stock = spool.stock()
    assert (stock.recovered, stock.damaged, stock.waiting) == (3, 1, 0)
    spool.close()


def test_a_file_that_somebody_removed_is_counted(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=8000)
    for seq in range(12):
        spool.append(frame(seq, size=400))
    before = segments(tmp_path)
    (tmp_path / f"{before[1]:020d}.spool").unlink()
    lost = before[2] - before[1]

    assert len(drain(spool)) == 12 - lost
    assert spool.stock().damaged == lost
    spool.close()


def test_what_is_settled_leaves_the_disk(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=80_000)
    for seq in range(60):
        spool.append(frame(seq, size=1000))
        spool.settle(take(spool))

    assert used(tmp_path) < 12_000
    spool.close()
    assert segments(tmp_path) == []


def test_a_file_with_nothing_to_send_is_removed_after_a_while(tmp_path: Path) -> None:
    clock = Clock()
    spool = open_spool(tmp_path, clock=clock)
    spool.append(frame(0))
    spool.settle(take(spool))
    spool.tidy()
    assert len(segments(tmp_path)) == 1

    clock.now += 5
    spool.tidy()
    assert len(segments(tmp_path)) == 1
    clock.now += 0.1
    spool.tidy()
    assert segments(tmp_path) == []

    spool.append(frame(1))
    assert drain(spool) == [1]
    spool.close()


def test_the_oldest_make_room_and_are_counted_to_the_frame(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=20_000)
    for seq in range(100):
        spool.append(frame(seq, size=1000))
        assert used(tmp_path) <= 20_000

    stock = spool.stock()
    left = drain(spool)
    assert left == list(range(100 - len(left), 100))
    assert stock.expired == 100 - len(left)
    assert len(left) > 10
    spool.close()


def test_a_frame_on_its_way_that_had_to_make_room_is_counted_once(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=20_000)
    spool.append(frame(0, size=1000))
    on_its_way = take(spool)
    for seq in range(1, 50):
        spool.append(frame(seq, size=1000))
    before = spool.stock()
    spool.settle(on_its_way)

    assert spool.stock().expired == before.expired
    assert spool.stock().waiting == before.waiting - 1
    assert before.expired + before.waiting == 50
    spool.close()


def test_a_frame_that_had_to_make_room_is_not_tried_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=20_000)
    spool.append(frame(0, size=1000))
    on_its_way = take(spool)
    for seq in range(1, 50):
        spool.append(frame(seq, size=1000))
    spool.put_back(on_its_way)

    stock = spool.stock()
    assert stock.expired + stock.waiting == 50
    assert take(spool).frame.seq == stock.expired
    spool.close()


@pytest.mark.parametrize("is_on_its_way", [False, True])
def test_a_frame_that_was_put_back_makes_room_as_any_other_unless_it_is_tried_again(
    is_on_its_way: bool, tmp_path: Path
) -> None:
    spool = open_spool(tmp_path, max_bytes=20_000)
    spool.append(frame(0, size=1000))
    on_its_way = take(spool)
    spool.put_back(on_its_way)
    if is_on_its_way:
        on_its_way = take(spool)
    for seq in range(1, 50):
        spool.append(frame(seq, size=1000))

    stock = spool.stock()
    assert stock.expired + stock.waiting == 50
    if is_on_its_way:
        spool.settle(on_its_way)
        assert spool.stock().expired == stock.expired
        assert spool.stock().waiting == stock.waiting - 1
        assert take(spool).frame.seq == stock.expired + 1
    else:
        assert take(spool).frame.seq == stock.expired
    spool.close()


def test_a_file_that_is_given_up_while_it_is_read_gives_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_slowly(path: Path, begin: int, end: int) -> Stored | None:
        found = read(path, begin, end)
        for seq in range(1, 50):
            spool.append(frame(seq, size=1000))
        return found

    spool = open_spool(tmp_path, max_bytes=20_000)
    spool.append(frame(0, size=1000))
    read = spool._reader.read
    with monkeypatch.context() as patched:
        patched.setattr(spool._reader, "read", read_slowly)
        assert spool.next(0) is None

    stock = spool.stock()
    assert stock.expired + stock.waiting == 50
    assert drain(spool) == list(range(stock.expired, 50))
    assert spool.stock().damaged == 0
    spool.close()


def test_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    spool = open_spool(tmp_path, max_age=80.0, clock=clock)
    for seq in range(100):
        spool.append(frame(seq))
        spool.tidy()
        clock.now += 2
        assert spool.stock().waiting <= 46

    left = drain(spool)
    assert 39 <= len(left) <= 46  # 80 s, and up to an eighth
    assert spool.stock().expired == 100 - len(left)
    spool.append(frame(100))
    clock.now += 81
    spool.tidy()
    assert spool.stock().waiting == 0
    spool.close()


def test_a_clock_that_is_set_makes_no_frame_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path, max_age=60.0)
    spool.append(frame(0, captured_at=5.0))  # a machine without a clock, before it has heard of one
    monkeypatch.setattr("time.time", lambda: 1.9e9)
    spool.tidy()

    assert drain(spool) == [0]
    spool.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_harms_nothing_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    spool = open_spool(tmp_path)
    spool.append(frame(0))
    for seq in (1, 2):
        with refusing(monkeypatch, code), pytest.raises(OSError, match=os.strerror(code)):
            spool.append(frame(seq))
    spool.append(frame(3))

    assert drain(spool) == [0, 3]
    spool.append(frame(4))
    assert drain(spool) == [4]
    spool.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_on_a_full_disk_the_oldest_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    spool = open_spool(tmp_path, max_bytes=20_000)
    for seq in range(12):
        spool.append(frame(seq, size=1000))
    full = used(tmp_path)
    write = os.write

    def write_if_there_is_room(fd: int, data: bytes) -> int:
        if used(tmp_path) + len(data) > full:
            raise OSError(code, os.strerror(code))
        return write(fd, data)

    monkeypatch.setattr("sender.spool.segment.os.write", write_if_there_is_room)
    for seq in range(12, 30):
        spool.append(frame(seq, size=1000))

    left = drain(spool)
    assert left == list(range(30 - len(left), 30))
    assert spool.stock().expired == 30 - len(left)
    spool.close()


def test_on_a_full_disk_what_is_settled_makes_room_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_if_there_is_room(fd: int, data: bytes) -> int:
        if used(tmp_path) + len(data) > full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    write = os.write
    spool = open_spool(tmp_path)
    for seq in range(3):
        spool.append(frame(seq))
    drain(spool)
    full = used(tmp_path)
    monkeypatch.setattr("sender.spool.segment.os.write", write_if_there_is_room)
    spool.append(frame(3))

    assert drain(spool) == [3]
    assert spool.stock().expired == 0
    spool.close()


def test_a_settled_file_that_cannot_be_removed_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError

    spool = open_spool(tmp_path, max_bytes=8000)
    for seq in range(12):
        spool.append(frame(seq, size=400))
    before = segments(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.spool.remove", refuse)
        assert drain(spool) == list(range(12))
    kill(spool)
    assert segments(tmp_path) == before

    spool = open_spool(tmp_path)
    assert segments(tmp_path) == []
    spool.close()


def test_two_never_share_a_folder(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    with pytest.raises(Locked):
        open_spool(tmp_path)
    spool.close()

    open_spool(tmp_path).close()


def test_others_may_not_look_into_it(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "new" / "cam1")
    spool.append(frame(0))

    for path in (tmp_path / "new" / "cam1").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new" / "cam1").stat().st_mode) == 0o700
    spool.close()


def test_after_the_end_it_closes_when_all_is_settled(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.append(frame(0))
    spool.end()

    assert drain(spool) == [0]
    with pytest.raises(Closed):
        spool.next(0)
    spool.close()


def test_who_waits_is_woken_by_a_new_frame(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(take_within(30)))

    def take_within(seconds: float) -> int:
        stored = spool.next(seconds)
        assert stored is not None
        return stored.frame.seq

    waiting.start()
    spool.append(frame(5))
    waiting.join(30)
    assert found == [5]
    spool.close()


def test_where_nothing_can_be_read_the_next_file_goes_on(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=8000)
    for seq in range(12):
        spool.append(frame(seq, size=400))
    second = segments(tmp_path)[1]
    spool.pass_over()

    assert drain(spool) == list(range(second, 12))
    assert spool.stock().damaged == second
    spool.close()


def test_the_age_of_the_oldest_is_known(tmp_path: Path) -> None:
    clock = Clock()
    spool = open_spool(tmp_path, clock=clock)
    assert spool.stock().oldest_seconds == 0
    spool.append(frame(0))
    clock.now += 7

    assert spool.stock().oldest_seconds == 7
    spool.close()


def test_each_frame_gets_the_next_number(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    assert [spool.append(frame(seq)) for seq in (7, 8)] == [0, 1]
    drain(spool)
    assert spool.append(frame(9)) == 2
    kill(spool)

    spool = open_spool(tmp_path)
    assert spool.append(frame(1)) == 3
    spool.close()


def even(seq: int) -> EncodedFrame:
    """Return a frame whose record is as long as that of any other, up to the ninth."""
    return replace(frame(seq, size=200), arrived=1000.0)


def test_what_just_fills_the_limit_stays(tmp_path: Path) -> None:
    size = len(pack(0, even(0)))
    spool = open_spool(tmp_path, max_bytes=10 * size)
    for seq in range(10):
        spool.append(even(seq))
    stock = spool.stock()
    assert (stock.expired, stock.bytes, used(tmp_path)) == (0, 10 * size, 10 * size)

    spool.append(even(0))
    assert spool.stock().expired > 0
    spool.close()


def test_it_is_half_full_with_more_than_half_of_the_limit(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_bytes=8 * len(pack(0, even(0))) + 1)
    full = []
    for seq in range(5):
        spool.append(even(seq))
        full.append(spool.is_half_full)

    assert full == [False, False, False, False, True]
    spool.close()


def test_a_folder_that_cannot_be_looked_at_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.spool.recover", refuse)
        with pytest.raises(OSError, match="Input/output"):
            open_spool(tmp_path)

    open_spool(tmp_path).close()


@pytest.mark.parametrize(
    ("sync", "appended", "tidied", "closed"),
    [
        ("none", 0, [], ["record", "cursor"]),
        ("interval", 0, ["record", "cursor"], ["cursor"]),
        ("each", 1, ["cursor"], ["cursor"]),
    ],
)
def test_the_disk_is_asked_to_keep_it_as_often_as_was_said(
    sync: str,
    appended: int,
    tidied: list[str],
    closed: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def note(fd: int) -> None:
        name = os.readlink(f"/proc/self/fd/{fd}")
        asked.append("cursor" if name.endswith("cursor") else "record")

    spool = open_spool(tmp_path, sync=sync)
    monkeypatch.setattr("os.fdatasync", note)
    spool.append(frame(0))
    assert asked == ["record"] * appended

    asked.clear()
    spool.tidy()
    assert asked == tidied

    asked.clear()
    spool.close()
    assert asked == closed


def test_a_spool_that_the_disk_does_not_keep_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    spool = open_spool(tmp_path)
    spool.append(frame(0))
    take(spool)
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.fdatasync", refuse)
        with pytest.raises(OSError, match="Input/output"):
            spool.close()

    again = open_spool(tmp_path)
    assert drain(again) == [0]
    again.close()


def test_who_waits_is_woken_by_the_end(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(Closed):
            spool.next(600)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not spool._changed._waiters:  # type: ignore[attr-defined]
        threading.Event().wait(0.001)
    spool.end()

    assert ended.wait(30)
    waiting.join(30)
    spool.close()


def test_of_a_frame_that_was_read_its_own_age_counts(tmp_path: Path) -> None:
    clock = Clock()
    spool = open_spool(tmp_path, clock=clock)
    spool.append(frame(0))
    clock.now += 3
    spool.append(frame(1))
    first = take(spool)
    clock.now = first.frame.arrived + 4
    assert spool.stock().oldest_seconds == 4

    spool.settle(first)
    second = take(spool)
    clock.now = second.frame.arrived - 1  # it was captured later than it is now, says the clock
    assert spool.stock().oldest_seconds == 0
    spool.settle(second)
    assert spool.stock().oldest_seconds == 0
    spool.close()
