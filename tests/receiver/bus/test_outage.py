"""Redis gone, slow, full or locked harms nothing but the bus, and what was lost is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.conftest import MakeFrame
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import ReceiverEnd, Stage, closes
from tests.redis_server import RedisServer

ECHO = """
    def process(frame):
        return frame.seq
"""


@pytest.fixture
def receiver(stage: Stage) -> ReceiverEnd:
    receiver = stage.receiver()
    stage.worker(ECHO)
    stage.meet(receiver, 1)
    receiver.ask()
    return receiver


def within(seconds: float, what: str, condition: Callable[[], object]) -> None:
    wait_until(what, condition, seconds)


def check_it_works_again(receiver: ReceiverEnd) -> None:
    """Within 5 s it is up, and frames are processed."""
    end = time.monotonic() + 30
    within(5, "the bus", lambda: receiver.bus.problem is None)
    while True:
        ticket = receiver.publish()
        if ticket.wait(0.5) and ticket.state == "processed":
            break
        assert time.monotonic() < end
    within(5, "all to be settled", lambda: receiver.books().waiting == 0)
    assert closes(receiver.books())


def test_a_redis_that_dies_is_noticed_and_found_again(
    receiver: ReceiverEnd, redis_server: RedisServer
) -> None:
    redis_server.stop()

    within(2, "the bus down", lambda: receiver.bus.problem)
    for _ in range(10):
        receiver.publish()
    newest = receiver.camera().latest.peek()
    assert newest is not None
    assert newest.seq == 10
    assert closes(receiver.books())
    assert receiver.books().superseded >= 8
    redis_server.start()
    check_it_works_again(receiver)


def test_a_redis_that_stands_still_is_noticed_and_found_again(
    receiver: ReceiverEnd, redis_server: RedisServer
) -> None:
    redis_server.pause()
    try:
        within(2, "the bus down", lambda: "does not answer" in str(receiver.bus.problem))
        started = time.monotonic()
        for _ in range(10):
            receiver.publish()
        assert time.monotonic() - started < 1.5  # one that waited for Redis would take 2 s each
    finally:
        redis_server.resume()
    check_it_works_again(receiver)


def test_frames_that_were_in_a_redis_that_lost_its_memory_have_failed(
    stage: Stage, redis_server: RedisServer
) -> None:
    receiver = stage.receiver()
    ticket = receiver.publish()
    receiver.wait_until_in_redis()

    redis_server.stop()
    redis_server.start()

    assert ticket.wait(30)
    assert ticket.state == "failed"
    assert "began anew" in str(ticket.result and ticket.result.error)
    assert receiver.books().failed == 1


def test_a_full_redis_is_said_and_counted(tmp_path: Path, make_frame: MakeFrame) -> None:
    with RedisServer(maxmemory="8mb") as server:
        stage = Stage(server.url, tmp_path, make_frame)
        try:
            receiver = stage.receiver()
            client = server.client()

            def is_full() -> bool:
                with suppress(redis.ResponseError):
                    for size in (100_000, 1000, 10):
                        with suppress(redis.OutOfMemoryError):
                            while True:
                                client.rpush("others", b"x" * size)
                return "is full" in str(receiver.bus.problem)

            wait_until("the bus down", is_full)
            receiver.publish()
            assert closes(receiver.books())
            client.delete("others")
            within(5, "the bus", lambda: receiver.bus.problem is None)
        finally:
            stage.close()


@pytest.fixture
def locked() -> Iterator[RedisServer]:
    with RedisServer(password="s3cret") as server:
        yield server


def test_a_wrong_password_is_said_without_it(
    locked: RedisServer,
    tmp_path: Path,
    make_frame: MakeFrame,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = locked.url.replace("s3cret", "wr0ng")
    receiver = ReceiverEnd(url, make_frame)
    try:
        within(2, "the refusal", lambda: "password" in str(receiver.bus.problem))
        receiver.publish()

        assert closes(receiver.books())
        assert "wr0ng" not in str(receiver.bus.problem)
        assert "wr0ng" not in caplog.text

        def warnings() -> int:
            return sum("password" in record.getMessage() for record in caplog.records)

        within(2, "the warning", warnings)
        assert warnings() == 1
    finally:
        receiver.close()


def test_a_redis_that_comes_later_is_found(tmp_path: Path, make_frame: MakeFrame) -> None:
    server = RedisServer()
    with server:
        pass
    receiver = ReceiverEnd(server.url, make_frame)
    try:
        within(2, "the refusal", lambda: "refused" in str(receiver.bus.problem).lower())
        with server:
            within(5, "the bus", lambda: receiver.bus.problem is None)
    finally:
        receiver.close()
