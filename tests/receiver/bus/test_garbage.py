"""What others left under our keys is told of and passed over; it harms nobody else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from receiver.bus import keys
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import PATIENT, Stage
from tests.redis_server import RedisServer

_LATER = (
    '{"cameras":{"cam9":{"books":{"received":1,"processed":1,"superseded":0,"failed":0,'
    '"waiting":0,"duplicate":0,"lost":0},"fps":1}},"hooks":[{"camera":"*"}],"timeout":1}'
)


def _now() -> int:
    return int(time.time() * 1e6)


GARBAGE: dict[str, Callable[[Any], object]] = {
    "a member that is no JSON": lambda c: c.hset(keys.MEMBERS, "x", f"{_now()} nonsense"),
    "a member without a time": lambda c: c.hset(keys.MEMBERS, "x", "nonsense"),
    "a member of a later version": lambda c: c.hset(keys.MEMBERS, "x", f"{_now()} {_LATER}"),
    "a member of bytes": lambda c: c.hset(keys.MEMBERS, b"\xff", f"{_now()} {{}}"),
    "a result without a message": lambda c: c.xadd(keys.RESULTS, {"other": "x"}),
    "a result of another form": lambda c: c.xadd(keys.RESULTS, {"message": '{"id":"x:1"}'}),
    "a result of an evil camera": lambda c: c.xadd(
        keys.RESULTS, {"message": '{"id":"x:1","camera":"<img>","drawn":"","facts":{}}'}
    ),
    "a token without a camera": lambda c: c.xadd(keys.tokens("*"), {"other": "x"}),
    "a frame of another form": lambda c: c.hset(
        keys.frame("cam1"), mapping={"id": "zz", "waiting": "1", "facts": "[]", "at": "1"}
    ),
    "a frame that is a string": lambda c: c.set(keys.frame("cam1"), "x"),
}


@pytest.mark.parametrize("leave", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_harms_nobody(
    stage: Stage, redis_server: RedisServer, leave: Callable[[Any], object]
) -> None:
    receiver = stage.receiver()
    worker = stage.worker(PATIENT)
    stage.meet(receiver, 1)
    receiver.ask("cam1")

    leave(redis_server.client())

    for _ in range(5):
        receiver.publish("cam1")
        assert receiver.ask("cam2", seconds=5).state == "processed"
    assert receiver.bus.error is None
    assert worker.bus.error is None
    assert receiver.bus.problem is None


def test_a_result_that_cannot_be_told_does_not_keep_others_back(
    stage: Stage, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    receiver = stage.receiver()
    let_go = stage.hold("cam1")
    worker = stage.worker(PATIENT)
    stage.meet(receiver, 1)
    receiver.publish("cam1")
    wait_until("the hook at work", lambda: receiver.bus.hooks()[0]["state"] == "busy")
    redis_server.client().set(keys.taken("cam1"), "x")

    let_go()

    assert receiver.ask("cam2", seconds=5).state == "processed"
    assert worker.bus.link.outages == 0
    assert "none of ours" in caplog.text


def test_a_bus_whose_members_cannot_be_heard_is_down(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()

    redis_server.client().set(keys.MEMBERS, "x")

    wait_until("the word", lambda: "none of ours" in str(receiver.bus.problem), 2)
    redis_server.client().delete(keys.MEMBERS)
    wait_until("the bus", lambda: receiver.bus.problem is None, 5)
