"""A camera of a stateful hook keeps to one worker, and moves when that one goes."""

from __future__ import annotations

import time
from itertools import pairwise

from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import COUNTING, ReceiverEnd, Stage


def by(receiver: ReceiverEnd, camera: str) -> tuple[int, int]:
    """Ask, and return which setup of a hook answered, and the how-manieth frame it was there."""
    value = receiver.ask(camera).value
    return value["setup"], value["count"]


def test_a_camera_keeps_to_one_worker(stage: Stage) -> None:
    receiver = stage.receiver()
    for _ in range(3):
        stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 3)

    counts = [by(receiver, "cam1") for _ in range(10)]

    assert [count for _, count in counts] == list(range(1, 11))
    assert len({setup for setup, _ in counts}) == 1


def test_cameras_are_shared_evenly(stage: Stage) -> None:
    receiver = stage.receiver()
    workers = [stage.worker(COUNTING, "Counter") for _ in range(2)]
    stage.meet(receiver, 2)

    def leases() -> list[int]:
        for number in range(6):
            receiver.ask(f"cam{number}")
        return [len(worker.bus.feeds.seats[0].leases) for worker in workers]

    wait_until("three each", lambda: leases() == [3, 3])


def test_a_camera_moves_when_its_worker_leaves(stage: Stage) -> None:
    receiver = stage.receiver()
    first = stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 1)
    before, _ = by(receiver, "cam1")
    stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 2)

    first.close()

    left = time.monotonic()
    after, count = by(receiver, "cam1")
    assert time.monotonic() - left < 3
    assert after != before
    assert count == 1


def test_cameras_move_to_a_worker_that_joins_and_stay_in_order(stage: Stage) -> None:
    receiver = stage.receiver()
    first = stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 1)
    cameras = [f"cam{number}" for number in range(4)]
    for camera in cameras:
        receiver.ask(camera)
    assert len(first.bus.feeds.seats[0].leases) == 4

    second = stage.worker(COUNTING, "Counter")

    def shared() -> bool:
        for camera in cameras:
            receiver.ask(camera)
        return [len(w.bus.feeds.seats[0].leases) for w in (first, second)] == [2, 2]

    wait_until("two each", shared)
    for camera in cameras:
        told = [r for r in receiver.heard.results if r.frame.camera == camera]
        assert [r.frame.seq for r in told] == sorted(r.frame.seq for r in told)
        turns = [r.value["setup"] for r in told]
        # It moved once at most, and its new worker began to count anew.
        assert sum(a != b for a, b in pairwise(turns)) <= 1
    assert any(r.value["count"] == 1 for r in receiver.heard.results[4:])


def test_a_camera_that_comes_back_finds_nothing_of_what_was_known_of_it(stage: Stage) -> None:
    receiver = stage.receiver()
    first = stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 1)
    assert [by(receiver, "cam1")[1] for _ in range(3)] == [1, 2, 3]

    first.bus.feeds.seats[0].leases.give_up(0)

    assert by(receiver, "cam1")[1] == 1
