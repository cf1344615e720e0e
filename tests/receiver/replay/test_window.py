"""Every frame goes to one worker, and every result leaves in its frame's order."""

from __future__ import annotations

import random
import threading

from receiver.replay.window import Window
from receiver.result import Result
from tests.recordings import make_frames


def result_of_task(window: Window, worker: int) -> bool:
    task = window.take(worker)
    if task is None:
        return False
    window.done(task)
    task.camera.finish(Result.failed(task.frame, f"by {worker}"))
    return True


def test_results_leave_in_order_whatever_the_order_of_their_coming() -> None:
    window = Window(["cam1"], room=4, posts=1)
    frames = make_frames(4)
    for _ in range(4):
        window.seat(lambda: None)
    for frame in frames:
        window.put(frame)
    assert window.is_full
    tasks = [window.take(worker) for worker in range(4)]

    for task in reversed(tasks):
        assert window.get(0) is None
        assert task is not None
        task.camera.finish(Result.failed(task.frame, "it"))

    found = [window.get(0) for _ in range(4)]
    assert [each and each.frame.seq for each in found] == [0, 1, 2, 3]
    assert window.is_empty
    assert not window.is_full


def test_who_waits_for_a_result_is_woken_by_it() -> None:
    window = Window(["cam1"], room=4, posts=1)
    window.seat(lambda: None)
    window.put(make_frames(1)[0])
    got: list[Result | None] = []
    waiter = threading.Thread(target=lambda: got.append(window.get(60)))
    waiter.start()

    assert result_of_task(window, 0)
    waiter.join(30)

    assert not waiter.is_alive()
    assert len(got) == 1


def test_an_idle_worker_is_woken_for_a_frame_and_only_once() -> None:
    woken: list[int] = []
    window = Window(["cam1"], room=4, posts=1)
    for worker in range(2):
        window.seat(lambda worker=worker: woken.append(worker))  # type: ignore[misc]
        assert window.take(worker) is None
    one, two, three = make_frames(3)

    window.put(one)
    window.put(two)
    window.put(three)

    assert sorted(woken) == [0, 1]


def test_a_frame_that_a_worker_was_woken_for_goes_to_another_when_it_leaves() -> None:
    woken: list[int] = []
    window = Window(["cam1"], room=4, posts=1)
    for worker in range(2):
        window.seat(lambda worker=worker: woken.append(worker))  # type: ignore[misc]
        assert window.take(worker) is None
    window.put(make_frames(1)[0])
    first = woken.pop()

    window.leave(first)

    assert woken == [1 - first]
    assert window.take(1 - first) is not None


def test_a_stateful_hooks_cameras_keep_to_their_workers() -> None:
    window = Window(["a", "b", "c"], room=9, posts=2)
    window.stateful = True
    for _ in range(2):
        window.seat(lambda: None)
    for frames in zip(*(make_frames(3, camera=camera) for camera in "abc"), strict=True):
        for frame in frames:
            window.put(frame)

    while result_of_task(window, 1) or result_of_task(window, 0):
        pass

    by: dict[str, set[str | None]] = {}
    while (result := window.get(0)) is not None:
        by.setdefault(result.frame.camera, set()).add(result.error)
    assert by == {"a": {"by 0"}, "b": {"by 1"}, "c": {"by 0"}}


def test_many_threads_lose_nothing_and_keep_the_order() -> None:
    frames = make_frames(1) * 300
    window = Window(["cam1"], room=8, posts=1)
    bells = [threading.Event() for _ in range(4)]
    over = threading.Event()

    def work(worker: int) -> None:
        rng = random.Random(worker)
        while not over.is_set():
            task = window.take(worker)
            if task is None:
                bells[worker].wait(30)
                bells[worker].clear()
            elif rng.random() < 0.1:
                window.leave(worker)
                task.camera.finish(Result.failed(task.frame, "left"))
            else:
                task.camera.finish(Result.failed(task.frame, "done"))

    for bell in bells:
        window.seat(bell.set)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    waiting = iter(frames)
    given = got = 0
    while got < len(frames):
        while not window.is_full and given < len(frames):
            window.put(next(waiting))
            given += 1
        result = window.get(5)
        assert result is not None
        got += 1
    over.set()
    for bell in bells:
        bell.set()
    for thread in threads:
        thread.join()
    assert window.is_empty
