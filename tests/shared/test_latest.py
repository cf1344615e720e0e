from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.latest import Closed, Latest


def test_a_slow_reader_gets_only_the_newest_item() -> None:
    latest: Latest[int] = Latest()
    reader = latest.reader()
    for item in range(5):
        latest.put(item)

    assert reader.get(0) == 4
    assert reader.get(0) is None
    assert reader.counts() == (1, 4, 0)


def test_every_reader_keeps_its_own_place() -> None:
    latest: Latest[int] = Latest()
    fast, slow = latest.reader(), latest.reader()
    seen = []
    for item in range(3):
        latest.put(item)
        seen.append(fast.get(0))

    assert seen == [0, 1, 2]
    assert slow.get(0) == 2
    assert slow.counts() == (1, 2, 0)


def test_a_newcomer_gets_what_is_held_at_once() -> None:
    latest: Latest[str] = Latest()
    latest.put("held")

    assert latest.reader().get(0) == "held"


def test_depth_gives_the_newest_first_and_then_the_older_ones() -> None:
    latest: Latest[int] = Latest(depth=3)
    reader = latest.reader()
    for item in range(3):
        latest.put(item)

    assert [reader.get(0) for _ in range(4)] == [2, 1, 0, None]
    assert reader.counts() == (3, 0, 0)


def test_one_more_than_the_depth_clears_all_but_the_newest() -> None:
    latest: Latest[int] = Latest(depth=3)
    reader = latest.reader()
    for item in range(4):
        latest.put(item)
    assert reader.counts() == (0, 3, 1)

    assert [reader.get(0) for _ in range(2)] == [3, None]
    assert reader.counts() == (1, 3, 0)


def test_after_a_clearing_only_the_newest_waits_until_it_is_taken() -> None:
    latest: Latest[int] = Latest(depth=2)
    reader = latest.reader()
    for item in range(6):
        latest.put(item)
    assert reader.counts() == (0, 5, 1)
    assert reader.get(0) == 5

    latest.put(6)
    latest.put(7)

    assert [reader.get(0) for _ in range(3)] == [7, 6, None]
    assert reader.counts() == (3, 5, 0)


def test_what_stays_at_the_bottom_is_gone_when_newer_ones_fill_the_depth() -> None:
    latest: Latest[int] = Latest(depth=3)
    reader = latest.reader()
    for item in range(3):
        latest.put(item)
    assert reader.get(0) == 2
    latest.put(3)

    assert reader.counts() == (1, 1, 2)
    assert [reader.get(0) for _ in range(3)] == [3, 1, None]
    assert reader.counts() == (3, 1, 0)


def test_what_one_reader_has_cleared_another_still_gets() -> None:
    latest: Latest[int] = Latest(depth=2)
    slow, fast = latest.reader(), latest.reader()
    latest.put(0)
    assert fast.get(0) == 0
    latest.put(1)
    latest.put(2)

    assert [fast.get(0) for _ in range(3)] == [2, 1, None]
    assert [slow.get(0) for _ in range(2)] == [2, None]
    assert (fast.counts(), slow.counts()) == ((3, 0, 0), (1, 2, 0))


def test_put_wakes_a_waiting_reader() -> None:
    latest: Latest[int] = Latest()
    reader = latest.reader()
    got: list[int | None] = []
    thread = threading.Thread(target=lambda: got.append(reader.get(5)))
    thread.start()

    latest.put(7)
    thread.join(30)

    assert got == [7]


def test_close_lets_a_reader_finish_and_then_raises() -> None:
    latest: Latest[int] = Latest()
    reader = latest.reader()
    latest.put(1)
    latest.close()
    latest.put(2)

    assert reader.get(0) == 1
    with pytest.raises(Closed):
        reader.get()


def test_the_writer_can_wait_until_all_was_taken() -> None:
    latest: Latest[int] = Latest()
    reader = latest.reader()
    latest.put(1)

    assert not reader.wait_until_taken(0)
    reader.get(0)
    assert reader.wait_until_taken(0)


def test_a_listener_is_called_after_each_put() -> None:
    latest: Latest[int] = Latest()
    heard: list[int | None] = []
    latest.listen(lambda: heard.append(latest.peek()))
    latest.put(1)
    latest.put(2)

    assert heard == [1, 2]


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 1, got 0"):
        Latest(depth=0)


@given(
    depth=st.integers(1, 5),
    held=st.integers(0, 7),
    steps=st.lists(st.booleans(), max_size=80),
)
def test_a_reader_gets_what_a_stack_that_is_cleared_when_it_grows_too_high_would_give_it(
    depth: int, held: int, steps: list[bool]
) -> None:
    latest: Latest[int] = Latest(depth)
    for number in range(held):
        latest.put(number)
    reader = latest.reader()
    # What waits, what of it was there at the last look, and how much is gone.
    stack, put, got, gone = list(range(held))[-depth:], held, 0, max(0, held - depth)
    start = gone
    height = len(stack)
    for is_put in steps:
        if is_put:
            latest.put(put)
            put += 1
            height += 1
            kept = [number for number in stack if number >= put - depth] if height <= depth else []
            gone += len(stack) - len(kept)
            stack = [*kept, put - 1]
        else:
            item = reader.get(0)
            assert item == (stack.pop() if stack else None)
            got += item is not None
            height = len(stack)

        assert reader.counts() == (got, gone - start, len(stack))
        assert len(latest._items) <= depth


def test_a_reader_that_takes_wakes_no_other_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    latest: Latest[int] = Latest()
    reader = latest.reader()
    latest.put(1)
    woken: list[str] = []
    monkeypatch.setattr(latest._changed, "notify_all", lambda: woken.append("readers"))

    assert reader.get() == 1

    assert woken == []
