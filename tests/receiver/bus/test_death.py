"""What a worker held when it died is seen to by the others, wherever it was in its work."""

from __future__ import annotations

import time
from typing import Any

import pytest

from receiver.bus import keys, tokens
from receiver.bus.leases import LEASE
from receiver.bus.tokens import DEAD, Token, Tokens
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import COUNTING, ReceiverEnd, Stage, closes
from tests.redis_server import RedisServer

ECHO = """
    def process(frame):
        return frame.seq
"""


class Dying:
    """A worker as far as Redis knows: it reads a token, perhaps takes the frame, and is no more."""

    def __init__(self, redis_server: RedisServer) -> None:
        self.client: Any = redis_server.client()
        self.tokens = Tokens(None, "dying.*.1")
        self.tokens.open(self.client, own=False)

    def read(self) -> Token:
        found = self.tokens.read(self.client, self.tokens.shared, block=5)
        assert found
        return found[0]


def ring(receiver: ReceiverEnd, dying: Dying) -> None:
    """Tell of the frame that waits, as a receiver that knows of a worker does."""
    name = next(iter(receiver.hub.cameras())).name
    wait_until("it in Redis", lambda: receiver.bus.outstanding)
    dying.client.xadd(dying.tokens.shared, {"camera": name, "key": ""})


def test_a_frame_that_was_taken_has_failed_and_the_next_one_is_processed(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish()
    ring(receiver, dying)
    token = dying.read()
    assert dying.tokens.take(dying.client, token) is not None

    stage.worker(ECHO)

    assert ticket.wait(DEAD + 5)
    assert ticket.state == "failed"
    assert "died" in str(ticket.result and ticket.result.error)
    assert receiver.ask().value == 1
    assert closes(receiver.books())
    assert not dying.client.exists(keys.taken("cam1"))


def test_a_frame_that_was_not_taken_yet_is_processed(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish()
    ring(receiver, dying)
    dying.read()

    stage.worker(ECHO)

    assert ticket.wait(DEAD + 5)
    assert ticket.state == "processed"


def test_a_frame_that_is_to_be_processed_in_any_case_is_run_again(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish(every=True)
    wait_until("it in Redis", lambda: receiver.bus.outstanding)
    key = next(iter(dying.client.scan_iter("framepost:{cam1}:frame:*"))).decode()
    dying.client.xadd(dying.tokens.shared, {"camera": "cam1", "key": key})
    assert dying.tokens.take(dying.client, dying.read()) is not None

    stage.worker(ECHO)

    assert ticket.wait(DEAD + 5)
    assert ticket.state == "processed"
    wait_until("nothing left of it", lambda: not dying.client.exists(key))


def test_a_worker_that_was_taken_for_dead_has_no_say(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    let_go = stage.hold("cam1")
    worker = stage.worker(
        """
        import time
        from pathlib import Path

        def process(frame):
            while (Path(__file__).parent / f"{frame.camera}.wait").exists():
                time.sleep(0.005)
            return frame.seq
        """
    )
    stage.meet(receiver, 1)
    ticket = receiver.publish()
    wait_until("the hook at work", lambda: receiver.bus.hooks()[0]["state"] == "busy")
    client: Any = redis_server.client()
    pending = client.xpending_range(keys.tokens(None), keys.GROUP, "-", "+", 1)
    assert client.xack(keys.tokens(None), keys.GROUP, pending[0]["message_id"])

    let_go()

    wait_until("the hook done", lambda: worker.runner.status()[0].processed == 1)
    assert not ticket.wait(0.5)
    assert receiver.books().processed == 0


@pytest.mark.parametrize("held", ["unread", "read"])
def test_what_only_the_dead_could_have_served_is_served_by_another(
    stage: Stage, redis_server: RedisServer, held: str
) -> None:
    receiver = stage.receiver()
    stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 1)
    client: Any = redis_server.client()
    dead = Tokens(None, "dead.*.1")
    dead.open(client, own=True)
    client.set(keys.lease("cam1"), "dead.*.1", px=round(LEASE * 1000))
    # Said once and never again: the others learn that it was there, and that it has gone.
    told = b'{"cameras":{},"hooks":[{"camera":"*","state":"ready","seat":"dead.*.1","leases":1}]}'
    now = int(time.time() * 1e6)
    client.hset(keys.MEMBERS, "dead", b"%d %b" % (now, told))
    wait_until("it known", lambda: len(receiver.bus.hooks()) == 2)

    ticket = receiver.publish()
    wait_until("it told", lambda: client.xlen(dead.own))
    if held == "read":
        assert dead.read(client, dead.own)

    assert ticket.wait(LEASE + DEAD + 5)
    assert ticket.state == "processed"


def test_workers_that_went_long_ago_leave_nothing_behind(
    stage: Stage, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = redis_server.client()
    for number in range(5):
        gone = Tokens(None, f"gone.*.{number}")
        gone.open(client, own=True)
        gone.read(client, gone.shared, gone.own)
        gone.keep_own(client, 1)
    monkeypatch.setattr(tokens, "_STREAM_EXPIRY", 0)
    time.sleep(0.01)  # consumers that are idle for longer than that

    stage.worker(ECHO)

    def names() -> list[bytes]:
        return [each["name"] for each in client.xinfo_consumers(keys.tokens(None), keys.GROUP)]

    wait_until("only the new one", lambda: not [name for name in names() if b"gone" in name])
    wait_until("no streams of theirs", lambda: not list(client.scan_iter("framepost:*gone*")))
