"""Frames that are to be processed whatever happens, when their worker or receiver ends."""

from __future__ import annotations

import threading

import pytest

from receiver.bus.bus import Bus
from receiver.bus.outstanding import Outstanding
from receiver.bus.tokens import ring
from receiver.camera import Camera
from receiver.hooking.schedule import Task
from receiver.ticket import Ticket
from tests.conftest import MakeFrame
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import Stage

WHETHER = """
    def process(frame):
        return frame.redelivered
"""


class Leaving:
    """A worker's seat, without the worker, that takes a frame and leaves."""

    def __init__(self, stage: Stage) -> None:
        self.bus = Bus(stage.url, beat=0.1)
        feed = self.bus.feeds.feed(None)
        feed.seat(wake=threading.Event().set)
        [self.seat] = feed.seats
        self.bus.link.probe(lambda client: ring(client, "*", "nobody"))
        self.bus.feeds.returns.start()

    def take(self) -> Task:
        assert self.seat.take() is None, "it says that it is free"
        taken: list[Task] = []

        def came() -> bool:
            self.seat.step()
            task = self.seat.take()
            taken.extend([] if task is None else [task])
            return bool(taken)

        wait_until("a frame", came, 30.0)
        return taken[0]

    def close(self) -> None:
        self.bus.feeds.stop()
        self.bus.link.close()


@pytest.mark.parametrize(("every", "state"), [(True, "processed"), (False, "failed")])
def test_a_frame_that_a_leaving_worker_had_is_for_another_one_and_marked(
    every: bool, state: str, stage: Stage
) -> None:
    receiver = stage.receiver()
    worker = stage.worker(WHETHER)
    stage.meet(receiver, 1)
    assert receiver.ask(every=every).value is False
    worker.close()
    leaving = Leaving(stage)
    ticket = receiver.publish(every=every)
    receiver.wait_until_in_redis()
    camera = receiver.camera().name
    key = "" if not every else _key_of(leaving)
    leaving.bus.link.call(lambda client: ring(client, "*", camera, key=key))
    task = leaving.take()

    leaving.seat.done()
    task.camera.abandon(task.frame, "stopped")
    stage.worker(WHETHER)

    assert ticket.wait(30)
    assert ticket.state == state
    if every:
        assert ticket.result is not None
        assert ticket.result.value is True
    leaving.close()


def _key_of(leaving: Leaving) -> str:
    [key] = leaving.bus.link.call(lambda client: list(client.scan_iter("framepost:*frame:*")))
    return str(key.decode())


def test_a_receiver_that_ends_answers_for_no_frame_that_is_on_the_bus(stage: Stage) -> None:
    receiver = stage.receiver()
    ticket = receiver.publish(every=True)
    receiver.wait_until_in_redis()

    receiver.close()

    assert ticket.state == "closed"
    assert ticket.result is not None
    assert ticket.result.error == "the receiver stopped before the bus answered"


@pytest.mark.parametrize(("every", "state"), [(True, "closed"), (False, "failed")])
def test_a_frame_that_the_bus_lost_may_come_again_if_it_has_to_be_processed(
    every: bool, state: str, make_frame: MakeFrame
) -> None:
    camera, outstanding, ticket = Camera("cam1"), Outstanding(), Ticket()
    camera.accept(make_frame(0), every=every, ticket=ticket)
    turn = camera.pending.hand_over()
    assert turn is not None
    number = outstanding.add(camera, turn[0], every=turn[1])

    debt = outstanding.pop(number)
    assert debt is not None
    debt.fail("the bus lost it")

    assert ticket.state == state
    again = camera.accept(make_frame(0), every=every)
    assert again == ("accepted" if every else "duplicate")
    assert camera.pending.queued == every
