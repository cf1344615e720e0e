from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.feeds.follower import Follower, Skipped
from receiver.feeds.journal import Entry, Journal
from receiver.result import Result
from shared.frame import EncodedFrame
from shared.latest import Closed


def write(journal: Journal, cameras: str) -> None:
    """Write a result for each letter."""
    for camera in cameras:
        frame = EncodedFrame(
            camera=camera,
            epoch="e",
            seq=journal.last,
            captured_at=0.0,
            data=b"x",
            width=1,
            height=1,
        )
        journal.finished(
            Result(frame=frame, state="processed", picture=frame, queue=0, decode=0, hook=0)
        )


def rest(follower: Follower) -> list[int | Skipped]:
    """Return all there is: numbers, and notices."""
    found: list[int | Skipped] = []
    while (item := follower.next(0.0)) is not None:
        found.append(item.number if isinstance(item, Entry) else item)
    return found


def test_a_new_reader_begins_with_the_newest_of_each_camera() -> None:
    journal = Journal()
    write(journal, "aabac")
    follower = Follower(journal)
    assert rest(follower) == [3, 4, 5]

    write(journal, "ab")
    assert rest(follower) == [6, 7]


def test_certain_cameras_are_all_that_a_reader_gets() -> None:
    journal = Journal()
    write(journal, "abc")
    follower = Follower(journal, cameras={"b", "z"})
    write(journal, "abzcb")

    assert rest(follower) == [2, 5, 6, 8]


def test_who_comes_back_gets_all_that_is_held_since() -> None:
    journal = Journal()
    write(journal, "abab")

    assert rest(Follower(journal, after=journal.format_id(2))) == [3, 4]
    assert rest(Follower(journal, after=journal.format_id(2), cameras={"b"})) == [4]
    assert rest(Follower(journal, after=journal.format_id(4))) == []


def test_however_much_is_held_is_no_lag_of_who_comes_back() -> None:
    journal = Journal()
    write(journal, "a" * 50)
    follower = Follower(journal, after=journal.format_id(0), max_lag=5)
    write(journal, "a" * 5)

    assert rest(follower) == list(range(1, 56))


def test_who_comes_back_too_late_is_told_how_much_is_lost() -> None:
    journal = Journal(limit=3)
    write(journal, "aaaaaa")

    assert rest(Follower(journal, after=journal.format_id(1))) == [
        Skipped(2, "expired", 3),
        4,
        5,
        6,
    ]
    assert journal.skipped == 2


def test_of_certain_cameras_only_their_losses_are_told() -> None:
    journal = Journal(limit=2)
    write(journal, "abbabbcc")
    known = Follower(journal, after=journal.format_id(1), cameras={"a", "c"})
    assert rest(known) == [4, 7, 8]  # the newest of a is held, apart from the rest

    assert rest(Follower(journal, after=journal.format_id(1), cameras={"b"})) == [
        Skipped(3, "expired", 5),
        6,
    ]


def test_who_followed_a_former_receiver_gets_what_is_held() -> None:
    journal = Journal(limit=2)
    write(journal, "bbaa")

    found = rest(Follower(journal, after=Journal().format_id(17)))

    assert found == [Skipped(None, "restarted", 1), 2, 3, 4]
    assert journal.skipped == 0


def test_who_is_too_slow_goes_on_with_the_newest_of_each_camera() -> None:
    journal = Journal()
    follower = Follower(journal, max_lag=5)
    write(journal, "abab")
    assert follower.next(0.0)
    write(journal, "aabc")
    assert rest(follower) == [Skipped(4, "slow", 5), 6, 7, 8]

    write(journal, "abcab")
    assert rest(follower) == [9, 10, 11, 12, 13]
    assert journal.skipped == 4


def test_who_is_slower_than_the_journal_goes_on_with_the_newest() -> None:
    journal = Journal(limit=3)
    follower = Follower(journal)
    write(journal, "aaaab")

    assert rest(follower) == [Skipped(3, "slow", 3), 4, 5]


def test_a_quiet_cameras_newest_is_kept_for_who_is_too_slow_again() -> None:
    journal = Journal()
    write(journal, "q")
    follower = Follower(journal, max_lag=2)
    write(journal, "aaa")
    assert follower.next(0.0) == Skipped(2, "slow", 0)
    write(journal, "aaa")

    # Number 4 was to be given and is not any more.
    assert rest(follower) == [Skipped(3, "slow", 0), 1, 7]


def test_other_cameras_results_make_nobody_slow() -> None:
    journal = Journal(limit=4)
    follower = Follower(journal, cameras={"a"}, max_lag=2)
    write(journal, "abbbbbbbbb")
    assert rest(follower) == [1]
    write(journal, "bbbbaa")
    assert rest(follower) == [15, 16]
    write(journal, "bbbb")
    assert rest(follower) == []

    assert journal.skipped == 0


def test_a_closed_journal_gives_what_is_left_and_ends() -> None:
    journal = Journal()
    follower = Follower(journal)
    write(journal, "ab")
    journal.closed()

    assert [entry.number for entry in (follower.next(5), follower.next(5)) if entry] == [1, 2]
    with pytest.raises(Closed):
        follower.next(5)


@pytest.mark.parametrize("event", ["a result", "the end"])
def test_a_waiting_reader_is_woken_by(event: str) -> None:
    journal = Journal()
    follower = Follower(journal, cameras={"a"})
    found: list[str] = []

    def read() -> None:
        try:
            item = follower.next(30)
        except Closed:
            found.append("the end")
        else:
            found.append("a result" if isinstance(item, Entry) else "nothing")

    thread = threading.Thread(target=read)
    thread.start()
    write(journal, "b")
    if event == "a result":
        write(journal, "a")
    else:
        journal.closed()
    thread.join(30)

    assert found == [event]


def test_one_entry_wakes_all_who_wait() -> None:
    journal = Journal()
    everybody = threading.Barrier(31)
    taken: list[int] = []

    def read(follower: Follower) -> None:
        with suppress(Closed, threading.BrokenBarrierError):
            while (item := follower.next(60)) is not None:
                taken.append(item.number)
                everybody.wait(60)

    followers = [Follower(journal) for _ in range(30)]
    followers[10:10] = [Follower(journal, cameras={"z"}) for _ in range(5)]
    threads = [threading.Thread(target=read, args=(follower,)) for follower in followers]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, 21):
            write(journal, "a")
            everybody.wait(60)
            assert taken.count(number) == 30
    finally:
        everybody.abort()
        journal.closed()
        for thread in threads:
            thread.join(30)


@given(
    steps=st.lists(
        st.one_of(
            st.text("abc", min_size=1, max_size=12),  # written
            st.integers(1, 6),  # read
        ),
        max_size=30,
    ),
    limit=st.integers(1, 12),
    max_lag=st.integers(1, 8),
    cameras=st.sampled_from([None, {"a"}, {"a", "b"}, {"z"}]),
)
def test_what_was_given_and_what_was_skipped_is_all_there_was(
    steps: list[str | int], limit: int, max_lag: int, cameras: set[str] | None
) -> None:
    journal = Journal(limit=limit)
    follower = Follower(journal, cameras=cameras, max_lag=max_lag)
    given: list[int] = []
    written = Counter[str]()
    skipped = 0

    def read() -> bool:
        nonlocal skipped
        item = follower.next(0.0)
        if isinstance(item, Skipped):
            assert item.count is not None
            assert item.count > 0
            skipped += item.count
        elif item is not None:
            assert cameras is None or item.camera in cameras
            given.append(item.number)
        return item is not None

    for step in steps:
        if isinstance(step, str):
            write(journal, step)
            written.update(step)
        else:
            for _ in range(step):
                read()
    while read():
        pass

    assert given == sorted(set(given))
    wanted = sum(count for camera, count in written.items() if not cameras or camera in cameras)
    assert len(given) + skipped == wanted
    assert journal.skipped == skipped
    assert all(entry.number in given for entry in journal.newest(cameras))
