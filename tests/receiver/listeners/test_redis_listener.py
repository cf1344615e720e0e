from __future__ import annotations

import base64
import logging
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from receiver.listeners.redis_answers import RedisAnswers
from receiver.listeners.redis_listener import RedisListener
from receiver.listeners.redis_place import RedisPlace
from shared import redis_envelope, wire
from shared.frame import EncodedFrame
from shared.redis_line import Command, RedisLine, RedisSilence
from tests.conftest import MakeFrame
from tests.receiver.listeners.place import MAX_BYTES, Place, Plain
from tests.redis_server import RedisServer


@pytest.fixture
def plain(redis_server: RedisServer) -> Plain:
    return Plain(redis_server)


@pytest.fixture
def place(redis_server: RedisServer) -> Iterator[Place]:
    with Place(redis_server.url) as place:
        yield place


def send_ours(plain: Plain, frame: EncodedFrame) -> None:
    """Send a frame with its envelope."""
    envelope = redis_envelope.write(wire.to_headers(frame), length=len(frame.data))
    plain.redis.set("cam1:envelope", envelope)
    plain.send(frame.data)


def step_until_told(listener: RedisListener, count: int) -> None:
    """Step until so many messages came: Redis may pass them on after it answered their sender."""
    end = time.monotonic() + 30
    while sum(listener.status().outcomes.values()) < count:
        assert time.monotonic() < end, listener.status()
        listener.step()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("form", ["raw", "base64", "lines", "data URI"])
def test_a_plain_program_s_picture_is_taken_raw_or_as_base64(
    place: Place, plain: Plain, make_frame: MakeFrame, form: str
) -> None:
    data = make_frame().data
    value = {
        "raw": data,
        "base64": base64.b64encode(data),
        "lines": base64.encodebytes(data),
        "data URI": b"data:image/jpeg;base64," + base64.b64encode(data),
    }[form]
    plain.send(value)
    place.wait_for_frames(1)

    [frame] = place.hook.frames
    assert frame.data == data
    assert (frame.camera, frame.seq, frame.width) == ("cam1", 0, 160)
    assert abs(frame.captured_at - time.time()) < 60


def test_frames_without_an_envelope_are_numbered_here(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    for number in range(3):
        plain.send(make_frame(number).data)
        place.wait_for_frames(number + 1)

    assert [frame.seq for frame in place.hook.frames] == [0, 1, 2]
    assert len({frame.epoch for frame in place.hook.frames}) == 1


def test_the_envelope_s_facts_are_the_frame_s(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    sent = make_frame(41, epoch="boot-7", captured_at=time.time() - 2)
    send_ours(plain, sent)
    place.wait_for_frames(1)

    [frame] = place.hook.frames
    assert (frame.epoch, frame.seq, frame.media_type) == ("boot-7", 41, "image/jpeg")
    assert frame.captured_at == pytest.approx(sent.captured_at, abs=1e-6)
    assert 1.9 < frame.age() < 10


def test_repeated_and_late_frames_are_known_by_their_envelope(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    for number, seq in enumerate((5, 5, 4, 6)):
        send_ours(plain, make_frame(seq))
        place.wait_for_messages(number + 1, "taken")

    camera = place.hub.get("cam1")
    assert camera is not None
    assert [frame.seq for frame in place.hook.frames] == [5, 6]
    assert (camera.books().duplicate, camera.books().superseded) == (1, 1)


def test_messages_of_a_camera_that_wait_are_one_frame(
    redis_server: RedisServer, plain: Plain, make_frame: MakeFrame
) -> None:
    place = Place()
    where = RedisPlace.parse(redis_server.url)
    listener = RedisListener(where, place.desk, answers=RedisAnswers(where), max_bytes=MAX_BYTES)
    listener.step()
    with plain.at_once():
        for seq in range(5):
            plain.send(make_frame(seq).data)
        plain.send(make_frame(9).data, key="cam2")
    step_until_told(listener, 6)
    listener.close()

    found = {frame.camera: frame.data for frame in place.hook.frames}
    assert found == {key: plain.redis.get(key) for key in ("cam1", "cam2")}
    assert listener.status().outcomes == {"superseded": 4, "taken": 2, "lost": 0}


def test_frames_that_redis_did_not_give_are_counted_and_the_books_close(
    redis_server: RedisServer, plain: Plain
) -> None:
    class Silent(RedisLine):
        def ask(self, *commands: Command) -> list[Any]:
            raise RedisSilence("no reply within 2 s", reason="timeout")

    place = Place()
    where = RedisPlace.parse(redis_server.url)
    listener = RedisListener(
        where,
        place.desk,
        answers=RedisAnswers(where),
        max_bytes=MAX_BYTES,
        store=Silent(where.url, deadline=1.0),
    )
    listener.step()
    with plain.at_once():
        for key in (*(f"cam{number}" for number in range(9)), "cam0", "no name"):
            plain.redis.publish("img0", key)
    step_until_told(listener, 11)
    listener.close()

    assert listener.status().outcomes == {"superseded": 1, "refused": 1, "lost": 9}
    assert not listener.status().is_up


@pytest.mark.parametrize(
    "key",
    [
        *("", "../etc", "a b", "door:envelope", "x" * 65, "-x", "cämera", "a\nb"),
        *(b"\xff\xfe", b"\x00", b"cam1\r\nSET x 1"),
    ],
)
def test_a_key_that_names_no_camera_is_refused_and_never_looked_at(
    place: Place,
    plain: Plain,
    make_frame: MakeFrame,
    key: str | bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(3):
        plain.send(make_frame().data, key=key)
        place.wait_for_messages(number + 1, "refused")
    plain.send(make_frame().data)
    place.wait_for_frames(1)

    assert [camera.name for camera in place.hub.cameras()] == ["cam1"]
    assert set(place.hub.refused()) == {("", "camera")}
    [sentence] = told(caplog)
    assert "a key that names no camera is left alone: camera: expected 1 to 64 letters" in sentence


GARBAGE: list[tuple[str, bytes | str, str]] = [
    ("garbage", b"\x00\x01garbage", "base64"),
    ("base64 of garbage", base64.b64encode(b"no picture at all"), "format"),
    ("half a base64", b"/9j/4AAQ" * 10 + b"a", "base64"),
    ("base64 with a space", b"/9j/ 4AAQ", "base64"),
    ("the repr of bytes", "b'/9j/4AAQ'", "base64"),
    ("a pickle", pickle.dumps({"image": b"x"}), "base64"),
    ("a pickle that would run", b"cos\nsystem\n(S'touch /tmp/x'\ntR.", "base64"),
    ("half a JPEG", b"\xff\xd8\xff\xe0\x00\x10JFIF", "truncated"),
    ("too large", b"\xff\xd8\xff" + bytes(MAX_BYTES), "too_large"),
    ("too large as base64", base64.b64encode(b"\xff\xd8\xff" + bytes(2 * MAX_BYTES)), "too_large"),
]


@pytest.mark.parametrize(("what", "value", "reason"), GARBAGE, ids=[what for what, _, _ in GARBAGE])
def test_what_is_no_picture_is_refused_counted_and_said_once(
    place: Place,
    plain: Plain,
    make_frame: MakeFrame,
    what: str,
    value: bytes | str,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain.send(make_frame().data)
    place.wait_for_frames(1)
    for number in range(3):
        plain.send(value)
        place.wait_for_messages(number + 1, "refused")
    plain.send(make_frame(1).data)
    place.wait_for_frames(2)

    assert place.hub.refused() == {("cam1", reason): 3}
    [sentence] = told(caplog)
    assert "what lies under the key cam1 is refused: " in sentence


def test_a_value_that_is_far_too_large_is_not_fetched_whole(place: Place, plain: Plain) -> None:
    before = plain.redis.info("stats")["total_net_output_bytes"]
    plain.send(b"\xff\xd8\xff" + bytes(20 << 20))
    place.wait_for_messages(1, "refused")

    assert place.hub.refused() == {("", "too_large"): 1}
    assert plain.redis.info("stats")["total_net_output_bytes"] - before < 1 << 20


def test_a_value_of_another_type_is_refused(place: Place, plain: Plain) -> None:
    plain.redis.lpush("cam1", "a")
    plain.redis.publish("img0", "cam1")
    place.wait_for_messages(1, "refused")

    assert place.hub.refused() == {("", "redis"): 1}


def test_a_broken_envelope_refuses_the_frame(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    for number, text in enumerate((b"x" * 5000, b'{"seq": -1}', b'{"digest": "sha-256=:AAAA:"}')):
        plain.redis.set("cam1:envelope", text)
        plain.send(make_frame().data)
        place.wait_for_messages(number + 1, "refused")

    assert set(place.hub.refused()) == {("", "header")}
    assert place.hub.cameras() == []


def test_a_wrong_digest_refuses_the_frame(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    one, other = make_frame(1), make_frame(2)
    headers = wire.to_headers(one, digest=True)
    plain.redis.set("cam1:envelope", redis_envelope.write(headers, length=len(other.data)))
    plain.send(other.data)
    place.wait_for_messages(1, "refused")

    assert place.hub.refused() == {("", "digest"): 1}


def test_the_envelope_that_another_program_s_frame_meets_is_left_alone(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    send_ours(plain, make_frame(7))
    place.wait_for_frames(1)
    foreign = make_frame(8, width=176).data
    plain.send(foreign)
    place.wait_for_frames(2)

    assert [frame.epoch == "e1" for frame in place.hook.frames] == [True, False]


def test_a_key_under_which_nothing_lies_is_said(
    place: Place, plain: Plain, caplog: pytest.LogCaptureFixture
) -> None:
    plain.redis.publish("img0", "cam1")
    place.wait_for_messages(1, "gone")

    [sentence] = told(caplog)
    assert sentence.endswith("nothing lies under the key cam1; is it expired?")


def test_too_many_cameras_are_refused_and_nothing_is_kept_of_their_names(
    redis_server: RedisServer, plain: Plain, make_frame: MakeFrame
) -> None:
    with Place(redis_server.url) as place:
        for number in range(20):
            plain.send(make_frame().data, key=f"cam{number}")
        place.wait_for_messages(4, "taken")
        place.wait_for_messages(16, "refused")
        [answers] = place.listeners._answers
        assert isinstance(answers, RedisAnswers)
        assert len(answers._newest) == 4


def test_a_topic_may_be_a_pattern_and_a_receiver_may_listen_twice(
    redis_server: RedisServer, plain: Plain, make_frame: MakeFrame
) -> None:
    url = redis_server.url
    with Place(f"{url}?topic=img*", f"{url}?topic=door") as place:
        plain.send(make_frame().data, key="cam1", topic="img7")
        plain.send(make_frame().data, key="cam2", topic="door")
        plain.send(make_frame().data, key="cam3", topic="yard")
        place.wait_for_frames(1, "cam1")
        place.wait_for_frames(1, "cam2")

        assert [camera.name for camera in place.hub.cameras()] == ["cam1", "cam2"]


def test_a_restart_of_redis_is_waited_out_and_said_once(
    place: Place,
    plain: Plain,
    redis_server: RedisServer,
    make_frame: MakeFrame,
    caplog: pytest.LogCaptureFixture,
) -> None:
    redis_server.stop()
    place.wait_until("the loss", lambda: not place.is_up())
    redis_server.start()
    place.wait_until("a subscription", place.is_up)
    Plain(redis_server).send(make_frame().data)
    place.wait_for_frames(1)

    assert place.metric("framepost_listener_reconnects_total") == 1
    said = told(caplog)
    assert 1 <= len(said) <= 2  # that it ended, that no connection is made
    assert all(sentence.endswith("; trying again") for sentence in said)


def test_a_redis_that_stands_still_is_noticed_and_found_again(
    place: Place, redis_server: RedisServer, plain: Plain, make_frame: MakeFrame
) -> None:
    redis_server.pause()
    place.wait_until("the loss", lambda: not place.is_up())
    redis_server.resume()
    place.wait_until("a subscription", place.is_up)
    plain.send(make_frame().data)
    place.wait_for_frames(1)


def test_a_quiet_topic_is_no_trouble(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with Place(redis_server.url) as place:
        end = time.monotonic() + 2.5
        place.wait_until("some time", lambda: time.monotonic() > end)

        assert place.is_up()
        assert place.metric("framepost_listener_reconnects_total") == 0
    assert told(caplog) == []


def test_a_subscriber_that_redis_cuts_off_subscribes_anew(
    place: Place, plain: Plain, make_frame: MakeFrame
) -> None:
    plain.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    place.wait_until("the loss", lambda: place.metric("framepost_listener_reconnects_total") == 1)
    plain.send(make_frame().data)
    place.wait_for_frames(1)


def test_a_wrong_password_is_said_once_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(password="right-canary") as server:
        place = Place(f"redis://:wrong-canary@127.0.0.1:{server.port}")
        place.listeners.start()
        place.wait_until("a sentence", lambda: told(caplog))
        redis = Plain(server).redis
        place.wait_until(
            "more tries", lambda: redis.info("stats")["total_connections_received"] > 3
        )
        place.listeners.stop()

    [sentence] = told(caplog)
    assert sentence.startswith(
        f"listener redis://127.0.0.1:{server.port}/0?topic=img0: does not let"
    )
    assert "canary" not in caplog.text


def test_two_receivers_need_two_topics_or_two_redises() -> None:
    with pytest.raises(ValueError, match=r"expected each once, got redis://h:6379/0\?topic=img0"):
        Place("redis://h", "redis://:pw@h:6379/0?result=x")
