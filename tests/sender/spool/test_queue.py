from __future__ import annotations

import threading
import time

import pytest

from sender.reader import CapturedFrame
from sender.spool.queue import FrameQueue
from shared.latest import Closed
from tests.sender.doubles import FakePicture


def captured(seq: int, size: int = 4) -> CapturedFrame:
    return CapturedFrame(
        camera="cam1",
        epoch="e1",
        seq=seq,
        captured=time.monotonic(),
        picture=FakePicture(b"j" * size),
    )


def seqs(queue: FrameQueue) -> list[int]:
    found = []
    while (frame := queue.get(0)) is not None:
        found.append(frame.seq)
    return found


def test_frames_come_in_order() -> None:
    queue = FrameQueue()
    for seq in range(5):
        queue.put(captured(seq))

    assert seqs(queue) == [0, 1, 2, 3, 4]
    assert queue.counts() == (5, 0, 0)


def test_what_finds_no_room_is_left_out_and_counted() -> None:
    queue = FrameQueue(max_frames=3)
    for seq in range(5):
        queue.put(captured(seq))

    assert queue.counts() == (0, 2, 3)
    assert seqs(queue) == [0, 1, 2]


def test_bytes_are_bounded_too() -> None:
    queue = FrameQueue(max_bytes=1000)
    for seq in range(5):
        queue.put(captured(seq, size=400))
    assert seqs(queue) == [0, 1]

    queue.put(captured(9, size=400))
    assert seqs(queue) == [9]


def test_what_just_fills_the_room_is_taken_and_what_leaves_makes_as_much() -> None:
    queue = FrameQueue(max_bytes=600)
    for seq in range(4):
        queue.put(captured(seq, size=200))
    assert queue.counts() == (0, 1, 3)

    queue.get(0)
    for seq in range(4, 7):
        queue.put(captured(seq, size=200))

    assert queue.counts() == (1, 3, 3)
    assert seqs(queue) == [1, 2, 4]


def test_without_other_limits_it_holds_ten_seconds_of_frames_in_64_megabytes() -> None:
    queue = FrameQueue()
    for seq in range(260):
        queue.put(captured(seq))
    assert queue.counts() == (0, 10, 250)

    queue = FrameQueue()
    for seq, size in enumerate((63_999_999, 1, 1)):
        large = captured(seq)
        large.picture.held_bytes = size  # type: ignore[misc]
        queue.put(large)
    assert queue.counts() == (0, 1, 2)


def test_one_frame_always_finds_room() -> None:
    queue = FrameQueue(max_bytes=10)
    queue.put(captured(0, size=1000))

    assert seqs(queue) == [0]


def test_closed_it_gives_what_it_has() -> None:
    queue = FrameQueue()
    queue.put(captured(0))
    queue.close()
    queue.put(captured(1))

    frame = queue.get(0)
    assert frame is not None
    assert frame.seq == 0
    with pytest.raises(Closed):
        queue.get(0)


def test_who_may_lose_none_waits_until_all_are_taken() -> None:
    queue = FrameQueue()
    queue.put(captured(0))
    assert not queue.wait_until_taken(0)

    taker = threading.Thread(target=lambda: queue.get(10))
    taker.start()
    assert queue.wait_until_taken(30)
    taker.join(30)
