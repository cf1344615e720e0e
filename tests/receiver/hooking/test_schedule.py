from __future__ import annotations

import pytest

from receiver.hooking.schedule import Schedule, Task
from receiver.hub import Hub
from tests.conftest import MakeFrame


class Desk:
    """A hub, a schedule, and workers that only note that they were woken."""

    def __init__(self, make_frame: MakeFrame, workers: int) -> None:
        self.hub = Hub(max_cameras=3)
        self.schedule = Schedule(self.hub)
        self.woken: list[int] = []
        for worker in range(workers):
            self.schedule.seat(lambda worker=worker: self.woken.append(worker))  # type: ignore[misc]
        self.hub.listen(self.schedule.offer)
        self._make_frame = make_frame
        self._seq = 0

    def publish(self, camera: str) -> None:
        self._seq += 1
        self.hub.publish(self._make_frame(self._seq, camera=camera))

    def take(self, worker: int = 0) -> str | None:
        task = self.schedule.take(worker)
        return task.frame.camera if task else None


def test_the_camera_served_longest_ago_comes_first(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 1)
    served = []
    for _ in range(4):
        for camera in ("b", "a", "c"):
            desk.publish(camera)
        task = desk.schedule.take(0)
        assert task is not None
        served.append(task.frame.camera)
        desk.schedule.done(task)

    assert served == ["b", "a", "c", "b"]


def test_a_worker_gets_only_the_newest_frame(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 1)
    for _ in range(3):
        desk.publish("a")
    task = desk.schedule.take(0)

    assert task is not None
    assert task.frame.seq == 3
    assert desk.take() is None
    assert task.taken >= task.frame.arrived


def test_a_waiting_worker_is_woken_and_only_one(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 2)
    assert desk.take(0) is None
    assert desk.take(1) is None
    desk.publish("a")
    assert desk.woken == [0]
    desk.publish("a")
    assert desk.woken == [0, 1]

    desk.publish("a")
    assert desk.woken == [0, 1], "nobody waits any more"


def test_a_worker_that_is_down_is_not_woken(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 2)
    desk.take(0)
    desk.take(1)
    desk.schedule.leave(0)
    desk.publish("a")

    assert desk.woken == [1]


def test_one_camera_never_holds_all_workers_while_others_live(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 2)
    desk.publish("a")
    first = desk.schedule.take(0)
    desk.publish("a")
    assert desk.take(1) == "a", "alone, it may have both"

    desk = Desk(make_frame, 2)
    desk.publish("a")
    desk.publish("b")
    first, second = desk.schedule.take(0), desk.schedule.take(1)
    assert first is not None
    assert second is not None
    desk.schedule.done(second)
    desk.publish("a")
    assert desk.take(1) is None, "the last free worker is for the other camera"
    desk.publish("b")
    assert desk.take(1) == "b"

    desk.schedule.done(first)
    assert desk.take(0) == "a", "what waited is taken when its turn comes"


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_stateful_hooks_camera_keeps_its_worker(make_frame: MakeFrame, workers: int) -> None:
    desk = Desk(make_frame, workers)
    desk.schedule.stateful = True
    homes: dict[str, set[int]] = {"a": set(), "b": set(), "c": set()}
    for _ in range(3):
        for camera in homes:
            desk.publish(camera)
        for worker in reversed(range(workers)):
            while task := desk.schedule.take(worker):
                homes[task.frame.camera].add(worker)
                desk.schedule.done(task)

    assert homes == {camera: {i % workers} for i, camera in enumerate("abc")}


def test_a_camera_the_hub_has_forgotten_is_forgotten(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 1)
    desk.publish("a")
    old = desk.hub.get("a")
    desk.take()
    assert old is not None
    old.close()
    desk.hub._cameras.clear()
    desk.publish("b")

    assert list(desk.schedule._places) == ["b"]
    desk.schedule.done(Task(old, make_frame()))
    assert desk.take() == "b"


def test_a_closed_camera_gives_nothing(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 1)
    desk.publish("a")
    desk.take()
    desk.publish("a")
    desk.hub.close()

    assert desk.take() is None, "its callers were told that nobody comes to it"


def test_a_camera_that_a_worker_leaves_goes_to_one_that_is_idle(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 3)
    tasks: list[Task | None] = []
    for worker, camera in enumerate(("a", "b")):
        desk.take(2)
        desk.publish(camera)
        tasks.append(desk.schedule.take(worker))
    assert desk.take(2) is None
    desk.woken.clear()
    for camera in ("a", "b"):
        desk.publish(camera)
    assert desk.woken == [], "the last idle worker is kept for a third camera"

    assert tasks[1] is not None
    desk.schedule.done(tasks[1])

    assert desk.take(1) == "a"
    assert desk.woken == [2]
    assert desk.take(2) == "b"


def test_a_camera_whose_worker_died_goes_to_one_that_is_idle(make_frame: MakeFrame) -> None:
    desk = Desk(make_frame, 2)
    desk.publish("b")
    other = desk.schedule.take(1)
    assert other is not None
    desk.schedule.done(other)
    desk.publish("a")
    task = desk.schedule.take(0)
    assert task is not None
    assert desk.take(1) is None
    desk.publish("a")
    assert desk.woken == []

    desk.schedule.done(task)
    desk.schedule.leave(0)

    assert desk.woken == [1]
