"""What a worker held when it died is seen to by the others, wherever it was in its work."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from receiver.bus import keys, tokens
from receiver.bus.bus import Bus
from receiver.bus.leases import LEASE
from receiver.bus.tokens import DEAD, Token, Tokens, ring
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
        self.tokens = Tokens("*", "dying.*.1")
        self.tokens.open(self.client, own=False)

    def read(self) -> Token:
        found = self.tokens.read(self.client, self.tokens.shared, block=5)
        assert found
        return found[0]


def ring_once(receiver: ReceiverEnd, dying: Dying) -> None:
    """Tell of the frame that waits, as a receiver that knows of a worker does."""
    name = next(iter(receiver.hub.cameras())).name
    receiver.wait_until_in_redis(name)
    dying.client.xadd(dying.tokens.shared, {"camera": name, "key": ""})


def test_a_frame_that_was_taken_has_failed_and_the_next_one_is_processed(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish()
    ring_once(receiver, dying)
    token = dying.read()
    assert dying.tokens.take(dying.client, token) is not None

    stage.worker(ECHO)

    assert ticket.wait(DEAD + 5)
    assert ticket.state == "failed"
    assert "died" in str(ticket.result and ticket.result.error)
    assert receiver.ask().value == 1
    assert closes(receiver.books())
    wait_until("no note of it left", lambda: not dying.client.exists(keys.taken("cam1")))


def test_a_frame_that_was_not_taken_yet_is_processed(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish()
    ring_once(receiver, dying)
    dying.read()

    stage.worker(ECHO)

    assert ticket.wait(DEAD + 5)
    assert ticket.state == "processed"


def test_a_frame_that_is_to_be_processed_in_any_case_is_run_again(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, dying = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish(every=True)
    receiver.wait_until_in_redis()
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
    pending = client.xpending_range(keys.tokens("*"), keys.GROUP, "-", "+", 1)
    assert client.xack(keys.tokens("*"), keys.GROUP, pending[0]["message_id"])

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
    dead = Tokens("*", "dead.*.1")
    dead.open(client, own=True)
    client.set(keys.lease("cam1"), "dead.*.1", px=round(LEASE * 1000))
    # Said once and never again: the others learn that it was there, and that it has gone.
    hook = {"camera": "*", "state": "ready", "seat": "dead.*.1", "leases": 1}
    told = json.dumps({"cameras": {}, "hooks": [hook], "timeout": 1}).encode()
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
        gone = Tokens("*", f"gone.*.{number}")
        gone.open(client, own=True)
        gone.read(client, gone.shared, gone.own)
        gone.keep_own(client, 1)
    monkeypatch.setattr(tokens, "_STREAM_EXPIRY", 0)
    time.sleep(0.01)  # consumers that are idle for longer than that

    stage.worker(ECHO)

    def names() -> list[bytes]:
        return [each["name"] for each in client.xinfo_consumers(keys.tokens("*"), keys.GROUP)]

    wait_until("only the new one", lambda: not [name for name in names() if b"gone" in name])
    wait_until("no streams of theirs", lambda: not list(client.scan_iter("framepost:*gone*")))


def test_a_hook_that_goes_down_while_it_is_read_for_gets_nothing(stage: Stage) -> None:
    receiver = stage.receiver()
    ticket = receiver.publish()
    bus = Bus(stage.url, beat=0.1)
    feed = bus.feeds.feed(None)
    feed.seat(wake=threading.Event().set)
    seat = feed.seats[0]
    bus.link.probe(lambda client: ring(client, "*", "cam1"))
    bus.feeds.returns.start()
    assert seat.take() is None
    read = seat._tokens.read

    def read_and_leave(*arguments: Any, **options: Any) -> list[Token]:
        found = read(*arguments, **options)
        seat.leave()
        return found

    seat._tokens.read = read_and_leave  # type: ignore[method-assign]
    receiver.wait_until_in_redis()
    seat.step()

    assert ticket.wait(30)
    assert ticket.state == "failed"
    assert seat.take() is None
    bus.feeds.stop()
    bus.link.close()


def test_nobody_is_taken_for_dead_right_after_an_outage(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver, silent = stage.receiver(), Dying(redis_server)
    ticket = receiver.publish()
    ring_once(receiver, silent)
    token = silent.read()
    assert silent.tokens.take(silent.client, token) is not None
    # It said nothing for long, for it could not.
    silent.client.xclaim(
        *(token.stream, keys.GROUP, "dying.*.1", 0, [token.id]), idle=60_000, justid=True
    )

    stage.worker(ECHO)

    assert not ticket.wait(DEAD - 1)
    assert ticket.wait(30)


def test_a_camera_that_was_given_up_is_not_taken_back(stage: Stage) -> None:
    worker = stage.worker(COUNTING, "Counter")
    wait_until("the worker on the bus", lambda: worker.bus.link.is_up)
    seat = worker.bus.feeds.seats[0]
    own = Token(keys.tokens("*", seat.seat_name), b"1-1", "cam1", "")
    shared = Token(keys.tokens("*"), b"1-1", "cam1", "")

    def hold(token: Token) -> bool | None:
        return worker.bus.link.call(lambda client: seat._hold(client, token))

    assert hold(own) is None
    assert hold(shared) is False
    assert hold(own) is True


def test_what_is_passed_on_to_a_worker_that_is_back_is_passed_on_once(
    redis_server: RedisServer,
) -> None:
    client: Any = redis_server.client()
    back, other = Tokens("*", "back.*.1"), Tokens("*", "other.*.1")
    back.open(client, own=True)
    other.open(client, own=True)
    client.set(keys.lease("cam1"), "back.*.1")
    client.xadd(back.own, {"camera": "cam1", "key": ""})

    other.adopt(client, "back.*.1")

    assert [token.camera for token in back.read(client, back.own)] == ["cam1"]


TURNS = """
    import time
    from pathlib import Path

    class Patient:
        stateful = True

        def process(self, frame):
            while (Path(__file__).parent / f"{frame.camera}-{frame.seq}.wait").exists():
                time.sleep(0.005)
            return frame.seq
"""


def test_a_token_that_came_beside_another_is_not_kept_until_it_is_dead(stage: Stage) -> None:
    receiver = stage.receiver()
    worker = stage.worker(TURNS, "Patient", timeout=60)
    stage.meet(receiver, 1)
    receiver.ask("cam1")
    let_go = [stage.hold("cam1-1"), stage.hold("cam1-2")]
    receiver.publish("cam1")
    wait_until("the hook at work", lambda: receiver.bus.hooks()[0]["state"] == "busy")
    # One in the worker's own stream, one in that of all.
    own, shared = receiver.publish("cam1"), receiver.publish("cam2")
    wait_until("both in Redis", lambda: receiver.bus.outstanding == 3)
    let_go[0]()
    wait_until("the next at work", lambda: worker.runner.status()[0].processed == 2)
    time.sleep(DEAD + 0.5)  # for as long as nobody may hold a token in silence

    let_go[1]()

    for ticket in (own, shared):
        assert ticket.wait(30)
        assert ticket.state == "processed"


def test_a_lease_that_is_ours_without_our_knowing_is_taken_for_ours(stage: Stage) -> None:
    receiver = stage.receiver()
    worker = stage.worker(COUNTING, "Counter")
    stage.meet(receiver, 1)
    seat = worker.bus.feeds.seats[0]
    worker.bus.link.call(lambda client: client.set(keys.lease("cam1"), seat.seat_name, px=60_000))

    assert receiver.ask("cam1", seconds=2).value["count"] == 1


def test_a_worker_that_comes_later_sees_to_those_that_it_never_knew(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    client: Any = redis_server.client()
    dead = Tokens("*", "dead.*.1")
    dead.open(client, own=True)
    ticket = receiver.publish()
    receiver.wait_until_in_redis()
    client.xadd(dead.own, {"camera": "cam1", "key": ""})
    assert dead.take(client, dead.read(client, dead.own)[0]) is not None

    stage.worker(COUNTING, "Counter")

    assert ticket.wait(DEAD + 6)
    assert ticket.state == "failed"
    client.delete(dead.own)
    wait_until("it forgotten", lambda: not client.sismember(keys.seats("*"), "dead.*.1"))
