"""Under more load than the hooks bear nothing grows, and nobody starves."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from receiver.bus import keys
from shared.errors import FrameError
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import PATIENT, Stage
from tests.redis_server import RedisServer

SLOW = """
    import time

    def process(frame):
        time.sleep(0.3)
        return frame.seq
"""


def test_each_camera_has_one_place_in_the_line_however_often_its_frame_changes(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    stage.worker(SLOW)
    stage.meet(receiver, 1)
    client: Any = redis_server.client()
    stop = threading.Event()

    def pump() -> None:
        while not stop.wait(0.05):
            for number in range(5):
                receiver.publish(f"cam{number}")

    thread = threading.Thread(target=pump)
    thread.start()
    try:
        # Each waits for longer than after what workers are reminded of it.
        wait_until("the first frames", lambda: receiver.hub.get("cam4"))
        wait_until("two rounds", lambda: receiver.books("cam4").processed >= 2, 20)
        assert client.xlen(keys.tokens("*")) <= 5 + 1
        before = len(receiver.heard.results)
        late = receiver.publish("late")
        assert late.wait(30)
    finally:
        stop.set()
        thread.join()

    assert late.state == "processed"
    # Those before it in the line had one turn each, and the one at work.
    assert len(receiver.heard.results) - before <= 5 + 3


def test_frames_that_are_to_be_processed_in_any_case_are_bounded(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("cam1")
    stage.worker(PATIENT)
    stage.meet(receiver, 1)

    for _ in range(16):
        receiver.publish(every=True)
    wait_until("them in Redis", lambda: receiver.bus.outstanding == 16)
    with pytest.raises(FrameError, match="at most 16 frames"):
        receiver.publish(every=True)
    let_go()
    wait_until("all processed", lambda: receiver.books().processed == 16)
    assert receiver.ask(every=True).state == "processed"
    client: Any = redis_server.client()
    wait_until("nothing left", lambda: not list(client.scan_iter("framepost:{cam1}:frame:*")))
    wait_until("no note of them", lambda: not client.hlen(keys.told(keys.tokens("*"))))


def test_drawings_of_such_frames_do_not_pile_up(stage: Stage, redis_server: RedisServer) -> None:
    receiver = stage.receiver()
    stage.worker(
        """
        def process(frame):
            return 1, frame.image
        """
    )
    stage.meet(receiver, 1)

    assert receiver.ask(every=True).picture.data

    client: Any = redis_server.client()
    drawings = list(client.scan_iter("framepost:{cam1}:frame:*:drawn"))
    assert [0 < client.pttl(key) <= 5000 for key in drawings] == [True]


def test_results_stand_for_some_seconds_only(stage: Stage, redis_server: RedisServer) -> None:
    receiver = stage.receiver()
    stage.worker(SLOW)
    stage.meet(receiver, 1)
    client: Any = redis_server.client()
    old = f"{int(time.time() * 1000) - 60_000}-0"
    client.xadd(keys.RESULTS, {"message": "{}"}, id=old)

    receiver.ask()

    assert client.xlen(keys.RESULTS) == 1
    assert 0 < client.pttl(keys.RESULTS) <= 15_000


def test_workers_are_told_again_of_a_single_frame_that_waits(stage: Stage) -> None:
    receiver = stage.receiver()
    tickets = [receiver.publish(), receiver.publish("cam2", every=True)]
    wait_until("both in Redis", lambda: receiver.bus.outstanding == 2)

    stage.worker(SLOW)

    for ticket in tickets:
        assert ticket.wait(30)
        assert ticket.state == "processed"


def test_cameras_of_others_take_no_room_from_our_own(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    second.hub._max_cameras = 2
    for name in ("one", "two"):
        first.publish(name)
    wait_until("them known", lambda: len(second.hub.cameras()) == 2)

    second.publish("mine")

    assert second.hub.get("mine") is not None
    wait_until("the others to know it", lambda: first.hub.get("mine"))
    assert len(second.hub.cameras()) == 2
    second.publish("mine-too")
    with pytest.raises(FrameError, match="at most 2 cameras"):
        second.publish("one-too-many")
