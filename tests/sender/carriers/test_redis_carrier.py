from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import redis

from sender.books import Ledger
from sender.carriers.redis_carrier import RedisCarrier
from sender.carriers.redis_endpoint import RedisEndpoint
from sender.endpoint import Encoding
from sender.poster import Poster
from sender.reader import CapturedFrame
from shared.http_client import NoReply, Reply
from shared.latest import Latest
from tests.conftest import MakeFrame
from tests.leftovers import leaves_nothing
from tests.receiver.bench import wait_until
from tests.redis_server import RedisServer
from tests.sender.doubles import FakePicture, RawServer, free_port


class Clock:
    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


class Line:
    """A carrier to a Redis, and frames for it."""

    def __init__(
        self,
        make_frame: MakeFrame,
        to: str,
        *,
        encoding: Encoding = "raw",
        deadline: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        self.endpoint = RedisEndpoint.read(to, "cam1", encoding=encoding)
        self.carrier = RedisCarrier(self.endpoint, deadline=deadline, clock=clock or time.monotonic)
        self._make = make_frame
        self.seq = -1

    def post(self) -> Reply:
        self.seq += 1
        headers, body = self.endpoint.request(self._make(self.seq))
        return self.carrier.post(self.endpoint.target, body, headers)

    def fail(self) -> tuple[NoReply, float]:
        started = time.monotonic()
        with pytest.raises(NoReply) as caught:
            self.post()
        return caught.value, time.monotonic() - started


@contextmanager
def line(make_frame: MakeFrame, to: str, **settings: Any) -> Iterator[Line]:
    made = Line(make_frame, to, **settings)
    yield made
    made.carrier.close()


@contextmanager
def listening(server: RedisServer, topic: str = "img0") -> Iterator[redis.client.PubSub]:
    """Subscribe as a plain program does."""
    with server.client().pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(topic)
        subscription.get_message(timeout=30)
        yield subscription


def test_a_frame_lies_under_its_key_and_its_name_is_published(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    client: Any = redis_server.client()
    with listening(redis_server) as messages, line(make_frame, redis_server.url) as one:
        for _ in range(3):
            assert one.post().status == 202
        message = messages.get_message(timeout=30)

    assert message is not None
    assert (message["channel"], message["data"]) == (b"img0", b"cam1")
    value, envelope = bytes(client.get("cam1")), json.loads(client.get("cam1:envelope"))
    assert value.startswith(b"\xff\xd8\xff")
    assert envelope["bytes"] == len(value)
    assert (envelope["epoch"], envelope["seq"], envelope["media_type"]) == ("e1", 2, "image/jpeg")
    assert abs(envelope["captured_at"] - time.time()) < 60
    assert abs(envelope["sent_at"] - time.time()) < 60
    assert all(0 < client.pttl(key) <= 10_000 for key in ("cam1", "cam1:envelope"))


def test_nothing_is_left_of_a_camera_that_is_gone(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    client = redis_server.client()
    with line(make_frame, f"{redis_server.url}?expire=0.2") as one:
        one.post()
        assert client.dbsize() == 2
        wait_until("the end of both keys", lambda: not client.exists("cam1", "cam1:envelope"))

    assert client.dbsize() == 0


def test_nothing_is_sent_while_the_stop_key_is_set(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    client = redis_server.client()
    client.set("stop", "")
    clock = Clock()
    with line(make_frame, redis_server.url, clock=clock) as one:
        first = one.post()
        assert (first.status, first.headers["Retry-After"]) == (503, "1")
        assert first.words == "the key stop is set; frames go on when it is gone"
        assert client.exists("cam1") == 0

        client.delete("stop")
        assert one.post().status == 503  # it is looked at once a second
        clock.now += 1.0
        assert one.post().status == 202
        assert client.exists("cam1") == 1


def test_a_stop_key_that_is_set_meanwhile_is_seen_with_the_next_frame(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    with line(make_frame, redis_server.url, clock=Clock()) as one:
        assert one.post().status == 202
        redis_server.client().set("stop", 1)
        assert one.post().status == 202
        assert [one.post().status for _ in range(3)] == [503] * 3


def test_a_slow_camera_looks_at_the_stop_key_before_each_frame(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    clock = Clock()
    with line(make_frame, redis_server.url, clock=clock) as one:
        assert one.post().status == 202
        redis_server.client().set("stop", 1)
        clock.now += 1.0
        assert one.post().status == 503


def test_a_stop_key_can_have_another_name_or_none(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    redis_server.client().set("stop", 1)
    with line(make_frame, f"{redis_server.url}?stop=halt") as one:
        assert one.post().status == 202
    with line(make_frame, f"{redis_server.url}?stop=") as one:
        assert [one.post().status for _ in range(3)] == [202] * 3


def test_a_full_redis_refuses_the_frame_and_nobody_is_told_of_it(make_frame: MakeFrame) -> None:
    with (
        RedisServer(maxmemory="100kb") as server,
        listening(server) as messages,
        line(make_frame, server.url) as one,
    ):
        reply = one.post()
        assert messages.get_message(timeout=0.1) is None

    assert reply.status == 503
    assert reply.words.startswith("is full: ")


def test_a_refused_frame_leaves_nothing_to_the_garbage_collector(make_frame: MakeFrame) -> None:
    with RedisServer(maxmemory="100kb") as server, line(make_frame, server.url) as one:

        def post_and_fail() -> None:
            assert one.post().status == 503
            raise KeyError

        assert leaves_nothing(post_and_fail)


def test_what_redis_does_not_allow_is_a_refusal_that_says_why(make_frame: MakeFrame) -> None:
    with RedisServer(password="right-canary") as server:
        with line(make_frame, f"redis://:wrong-canary@127.0.0.1:{server.port}") as one:
            reply = one.post()
        assert reply.status == 401
        assert "canary" not in reply.words

        server.client().execute_command(
            "ACL", "SETUSER", "cam", "on", ">pw", "~other*", "+@all", "&*"
        )
        with line(make_frame, f"redis://cam:pw@127.0.0.1:{server.port}?stop=") as one:
            assert one.post().status == 403
    with RedisServer("--replicaof", "127.0.0.1", "1") as server:
        with line(make_frame, server.url) as one:
            reply = one.post()
        assert (reply.status, "replica" in reply.words) == (503, True)
    with (
        RedisServer("--rename-command", "MULTI", "") as server,
        line(make_frame, server.url) as one,
    ):
        assert one.post().status == 502


def test_a_redis_that_is_away_is_no_reply_and_the_next_frame_finds_it_again(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    with line(make_frame, redis_server.url) as one:
        assert one.post().status == 202
        redis_server.stop()
        error, _ = one.fail()
        assert error.reason == "connect"
        redis_server.start()
        assert one.post().status == 202


def test_a_redis_that_stands_still_costs_the_deadline(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    with line(make_frame, redis_server.url, deadline=1.0) as one:
        one.post()
        redis_server.pause()
        error, seconds = one.fail()
        redis_server.resume()

        assert (error.reason, str(error)) == ("timeout", "no reply within 1 s")
        assert seconds < 10
        assert one.post().status == 202


def test_another_server_is_no_redis(make_frame: MakeFrame) -> None:
    def answer(connection: Any, _: int) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with RawServer(answer) as server, line(make_frame, f"redis://127.0.0.1:{server.port}") as one:
        assert one.fail()[0].reason == "protocol"


def test_a_server_of_nonsense_is_a_refusal_and_no_bug(make_frame: MakeFrame) -> None:
    def answer(connection: Any, _: int) -> None:
        while connection.recv(1 << 20):
            connection.sendall(b":0\r\n" * 6)

    with (
        RawServer(answer) as server,
        line(make_frame, f"redis://127.0.0.1:{server.port}?stop=") as one,
    ):
        assert one.fail()[0].reason == "protocol"


def test_an_interrupt_ends_the_wait(redis_server: RedisServer, make_frame: MakeFrame) -> None:
    with line(make_frame, redis_server.url, deadline=60) as one:
        redis_server.pause()
        timer = threading.Timer(0.1, one.carrier.interrupt)
        timer.start()
        error, seconds = one.fail()
        timer.join()
        redis_server.resume()

    assert error.reason == "stopped"
    assert seconds < 30


def test_that_nobody_listens_is_said_once(
    redis_server: RedisServer, make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with line(make_frame, redis_server.url) as one:
        for _ in range(3):
            one.post()
        with listening(redis_server):
            one.post()
        client: Any = redis_server.client()
        wait_until("its end", lambda: client.pubsub_numsub("img0") == [(b"img0", 0)])
        one.post()

    shown = f"redis://127.0.0.1:{redis_server.port}/0"
    said = f"{shown}: nobody listens to the topic img0; frames wait under the key cam1"
    assert [record.getMessage() for record in caplog.records] == [said, said]


def test_a_poster_sends_the_newest_frame_and_the_books_close(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = RedisEndpoint.read(redis_server.url, "cam1")
    slot: Latest[CapturedFrame] = Latest()
    place = slot.reader()
    ledger = Ledger(place)
    carrier = RedisCarrier(endpoint, deadline=1.0)
    poster = Poster("cam1", place, carrier, endpoint=endpoint, ledger=ledger)

    def put(seq: int) -> None:
        slot.put(
            CapturedFrame(
                camera="cam1",
                epoch="e1",
                seq=seq,
                captured=time.monotonic(),
                picture=FakePicture(b"jpeg %d" % seq),
            )
        )

    for seq in range(3):
        put(seq)
    poster.step()
    client = redis_server.client()
    assert client.get("cam1") == b"jpeg 2"
    redis_server.pause()
    put(3)
    poster.step()
    redis_server.resume()
    client.set("stop", 1)
    seqs = count(4)
    while not ledger.books().refused:
        put(next(seqs))
        poster.step()
    poster.close()

    books = ledger.books()
    assert books.failed == {"timeout": 1}
    assert set(books.refused) == {503}
    total = sum(books.refused.values()) + sum(books.failed.values()) + books.posted
    assert books.captured == total + books.superseded + books.waiting
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    shown = endpoint.shown
    assert told == [
        f"camera cam1: {shown} gives no answer (no reply within 1 s), trying again",
        f"camera cam1: {shown} refuses frames (503): "
        "'the key stop is set; frames go on when it is gone'",
    ]


def test_a_free_port_is_no_redis_and_is_said_without_a_traceback(make_frame: MakeFrame) -> None:
    with line(make_frame, f"redis://:canary@127.0.0.1:{free_port()}") as one:
        error, seconds = one.fail()

    assert str(error) == "no connection: Connection refused"
    assert seconds < 4
