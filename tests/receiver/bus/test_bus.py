"""Receivers and workers on a bus are one: frames, results, views and counters."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared import codec, pattern
from tests.conftest import MakeFrame
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import PATIENT, Stage, closes
from tests.redis_server import RedisServer

ECHO = """
    def process(frame):
        return {"seq": frame.seq, "camera": frame.camera, "width": frame.width}
"""


def test_a_frame_is_processed_by_a_worker_and_its_caller_gets_the_result(stage: Stage) -> None:
    receiver = stage.receiver()
    stage.worker(ECHO)
    stage.meet(receiver, 1)

    result = receiver.ask(seq=7)

    assert result.value == {"seq": 7, "camera": "cam1", "width": 160}
    assert result.state == "processed"
    assert 0 <= result.queue < 5
    assert receiver.books().processed == 1
    assert closes(receiver.books())


def test_what_a_hook_draws_comes_back(stage: Stage) -> None:
    receiver = stage.receiver()
    stage.worker(
        """
        def process(frame):
            image = frame.image
            image[:] = (0, 255, 0)
            return {"drawn": True}, image
        """
    )
    stage.meet(receiver, 1)

    result = receiver.ask()

    blue, green, red = codec.decode(result.picture.data)[60, 80]
    assert green > 240
    assert max(blue, red) < 20
    shown = receiver.camera().annotated.peek()
    assert shown is not None
    assert shown.data == result.picture.data


def test_a_hook_that_raises_fails_its_frame_and_the_next_one_comes(stage: Stage) -> None:
    receiver = stage.receiver()
    stage.worker(
        """
        def process(frame):
            if frame.seq == 0:
                raise ValueError("no")
            return frame.seq
        """
    )
    stage.meet(receiver, 1)

    failed = receiver.ask()
    assert "ValueError: no" in str(failed.error)
    assert str(failed.traceback).endswith("ValueError: no")
    wait_until("it", lambda: receiver.bus.hooks()[0]["last_traceback"] == failed.traceback)
    assert receiver.ask().value == 1
    assert (receiver.books().failed, receiver.books().processed) == (1, 1)


def test_every_receiver_hears_of_every_result(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    stage.worker(ECHO)
    stage.meet(first, 1)

    first.ask(seq=3)

    wait_until("the result at the other receiver", lambda: second.heard.results)
    heard = second.heard.results[0]
    assert heard.value["seq"] == 3
    assert not heard.is_ours
    assert first.heard.results[0].is_ours
    assert second.books().received == 0


def test_only_the_newest_frame_of_a_camera_waits(stage: Stage) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("cam1")
    stage.worker(PATIENT)
    stage.meet(receiver, 1)
    tickets = [receiver.publish()]
    wait_until("the hook at work", lambda: receiver.bus.hooks()[0]["state"] == "busy")

    tickets += [receiver.publish() for _ in range(4)]
    for ticket in tickets[1:4]:
        assert ticket.wait(30)
    let_go()

    assert all(tickets[at].wait(30) for at in (0, 4))
    states = [ticket.state for ticket in tickets]
    assert states == ["processed", *["superseded"] * 3, "processed"]
    assert closes(receiver.books())


def test_frames_that_are_to_be_processed_in_any_case_are(stage: Stage) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("cam1")
    stage.worker(PATIENT)
    stage.meet(receiver, 1)

    tickets = [receiver.publish(every=True) for _ in range(5)]
    tickets.append(receiver.publish())
    let_go()

    assert all(ticket.wait(30) for ticket in tickets)
    values = sorted(ticket.result.value for ticket in tickets if ticket.result)
    assert values == [0, 1, 2, 3, 4, 5]


def test_the_camera_that_waits_longest_is_next(stage: Stage) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("busy")
    stage.worker(PATIENT)
    stage.meet(receiver, 1)
    receiver.publish("busy")
    wait_until("the hook at work", lambda: receiver.bus.hooks()[0]["state"] == "busy")

    tickets = []
    for camera in ("first", "second", "third", "first"):
        tickets.append(receiver.publish(camera))
        wait_until("it in Redis", lambda name=camera: not receiver.camera(name).pending)  # type: ignore[misc]
    let_go()

    assert all(ticket.wait(30) for ticket in tickets)
    order = [result.frame.camera for result in receiver.heard.results]
    assert order == ["busy", "first", "second", "third"]


def test_a_frame_that_came_to_another_receiver_gives_way_to_a_newer_one(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    let_go = stage.hold("cam1")
    stage.worker(PATIENT)
    stage.meet(first, 1)
    first.publish(seq=0)
    wait_until("the hook at work", lambda: first.bus.hooks()[0]["state"] == "busy")
    waiting = first.publish(seq=1)
    wait_until("it in Redis", lambda: not first.camera().pending)

    newer = second.publish(seq=2)

    assert waiting.wait(30)
    assert waiting.state == "superseded"
    let_go()
    assert newer.wait(30)
    assert newer.state == "processed"
    assert closes(first.books())
    assert closes(second.books())


def test_a_frame_that_is_older_than_another_receivers_is_not_processed(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    stage.worker(ECHO)
    stage.meet(first, 1)
    first.ask(seq=9)

    late = second.publish(seq=8)

    assert late.wait(30)
    assert late.state == "superseded"
    assert second.books().superseded == 1


@pytest.mark.parametrize(("older", "newer"), [(9, 10), (99, 100), (2**62, 2**62 + 1)])
def test_numbers_are_compared_as_numbers(stage: Stage, older: int, newer: int) -> None:
    first, second = stage.receiver(), stage.receiver()
    stage.worker(ECHO)
    stage.meet(first, 1)
    stage.meet(second, 1)
    first.ask(seq=older)

    assert second.ask(seq=newer).value["seq"] == newer


def test_each_hook_gets_its_cameras(stage: Stage) -> None:
    receiver = stage.receiver()
    stage.worker("def process(frame): return 'door'", camera="door")
    stage.worker("def process(frame): return 'any'")
    stage.meet(receiver, 2)

    assert receiver.ask("door").value == "door"
    assert receiver.ask("yard").value == "any"


def test_a_worker_that_comes_late_gets_frames_of_a_camera_that_never_rests(stage: Stage) -> None:
    receiver = stage.receiver()
    wait_until("the bus", lambda: receiver.bus.link.is_up)
    for _ in range(3):  # each replaces the one before it, and nobody is there to be told
        receiver.publish()
        time.sleep(0.05)
    stage.worker(PATIENT)

    def is_served() -> bool:
        receiver.publish()
        time.sleep(0.05)
        return receiver.books().processed > 0

    wait_until("a frame at the worker", is_served, 10)


def test_frames_for_which_there_is_no_worker_wait_for_one(stage: Stage) -> None:
    receiver = stage.receiver()
    tickets = [receiver.publish() for _ in range(3)]
    assert tickets[0].wait(30)
    assert not receiver.bus.handles("cam1")

    stage.worker(ECHO)
    stage.meet(receiver, 1)

    wait_until("the newest processed", lambda: receiver.publish().wait(1.0), seconds=10)
    assert closes(receiver.books())


def test_two_workers_share_the_frames(stage: Stage) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("slow")
    stage.worker(PATIENT)
    stage.worker(PATIENT)
    stage.meet(receiver, 2)
    slow = receiver.publish("slow")

    assert receiver.ask("fast").value == 0

    let_go()
    assert slow.wait(30)


def test_a_camera_of_another_receiver_is_shown(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    first.publish(seq=4)
    wait_until("the camera", lambda: second.hub.get("cam1") and second.camera().elsewhere)

    camera = second.camera()
    camera.glance()
    reader = camera.latest.reader()

    shown = reader.get(10)
    assert shown is not None
    mark = pattern.read(codec.decode(shown.data))
    assert mark is not None
    assert mark.number == 4
    first.publish(seq=5)
    camera.glance()
    newer = reader.get(10)
    assert newer is not None
    assert newer.seq == 5
    assert abs(newer.captured_at + newer.clock_offset - time.time()) < 5


def test_nobodys_frames_are_fetched_whom_nobody_watches(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    stage.worker(ECHO)
    stage.meet(first, 1)
    first.ask()
    wait_until("the camera", lambda: second.hub.get("cam1") and second.camera().elsewhere)
    wait_until("the result", lambda: second.heard.results)

    assert second.camera().latest.peek() is None


def test_the_counters_of_all_receivers_are_told_together(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    stage.worker(ECHO)
    stage.meet(first, 1)
    stage.meet(second, 1)
    for seq in range(3):
        first.ask(seq=seq)
    second.ask(seq=3)

    def sums() -> bool:
        there = second.camera().elsewhere
        return there is not None and (there.books + second.books()).processed == 4

    wait_until("the sums", sums)
    assert second.camera().state() == "live"


def test_a_camera_that_is_frozen_at_one_receiver_is_frozen_at_all(
    stage: Stage, make_frame: MakeFrame
) -> None:
    first, second = stage.receiver(), stage.receiver()
    first.publish()
    still = make_frame(2)
    for ago in (6, 4, 2, 0):
        first.camera()._stillness.look(still, time.monotonic() - ago)

    wait_until("the word", lambda: second.hub.get("cam1") and second.camera().state() == "frozen")


def test_a_receiver_that_has_gone_is_forgotten(stage: Stage) -> None:
    first, second = stage.receiver(), stage.receiver()
    first.publish()
    wait_until("the camera", lambda: second.hub.get("cam1") and second.camera().elsewhere)

    first.close()

    wait_until("nobody elsewhere", lambda: second.camera().elsewhere is None)
    assert second.camera().state() == "gone"


def test_what_stands_in_redis_is_bounded(stage: Stage, redis_server: RedisServer) -> None:
    receiver = stage.receiver()
    stage.worker(ECHO)
    stage.meet(receiver, 1)
    for number in range(40):
        receiver.ask(f"cam{number % 4}")
    for _ in range(5):
        receiver.ask("cam0", every=True)

    client: Any = redis_server.client(text=True)
    frames = client.keys("framepost:*:frame*")
    assert sorted(frames) == [f"framepost:{{cam{number}}}:frame" for number in range(4)]
    assert all(0 < client.pttl(key) <= 30_000 for key in frames)
    rest = set(client.keys()) - set(frames)
    assert rest == {
        *("framepost:{work}:members", "framepost:{work}:era", "framepost:{work}:results"),
        "framepost:{work}:tokens:*",
        *(key for key in rest if key.startswith("framepost:{work}:tokens:*:")),
    }
    assert client.xlen("framepost:{work}:tokens:*") == 0
    assert client.xlen("framepost:{work}:results") <= 4096 + 100


def test_nothing_searches_all_keys_and_nothing_waits_in_vain(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    stage.worker(ECHO)
    stage.meet(receiver, 1)
    receiver.ask()

    client: Any = redis_server.client(text=True)
    used = client.info("commandstats")

    assert "cmdstat_evalsha" in used
    assert not {"cmdstat_keys", "cmdstat_scan", "cmdstat_flushdb"} & used.keys()
