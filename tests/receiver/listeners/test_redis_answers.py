from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import pytest

from receiver.listeners.redis_answers import RedisAnswers
from receiver.listeners.redis_place import RedisPlace
from receiver.result import Result
from tests.conftest import MakeFrame
from tests.receiver.listeners.place import Place, Plain
from tests.redis_server import RedisServer


def result_of(make_frame: MakeFrame, seq: int, value: Any = None, camera: str = "cam1") -> Result:
    frame = make_frame(seq, camera=camera)
    return Result(
        frame=frame,
        state="processed",
        value=value,
        picture=frame,
        queue=0.001,
        decode=0.002,
        hook=0.003,
    )


def test_the_hook_s_answer_and_the_time_stand_in_redis_and_expire(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    plain = Plain(redis_server)
    with Place(redis_server.url) as place:
        place.hook.answer = lambda frame: {"value": {"faces": 2}}
        before = time.time()
        plain.send(make_frame().data)
        place.wait_until("a result", lambda: plain.redis.exists("result", "receive_time") == 2)

        content = json.loads(plain.redis.get("result"))
        assert (content["camera"], content["state"]) == ("cam1", "processed")
        assert content["result"] == {"faces": 2}
        assert before <= float(plain.redis.get("receive_time")) <= time.time()
        for key in ("result", "receive_time"):
            assert 0 < plain.seconds_left(key) <= 60
        place.wait_until("its count", lambda: place.metric("framepost_listener_results_total") == 1)


def test_a_result_under_the_camera_s_name_and_no_time(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    plain = Plain(redis_server)
    url = f"{redis_server.url}?result=result-{{camera}}&receive_time=&expire=0.5"
    with Place(url) as place:
        plain.send(make_frame().data, key="door")
        place.wait_until("a result", lambda: plain.redis.exists("result-door"))

        plain.redis.delete("door")
        place.wait_until("nothing left", lambda: plain.redis.dbsize() == 0)


def test_nothing_is_written_where_no_keys_are_wanted(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    plain = Plain(redis_server)
    with Place(f"{redis_server.url}?result=&receive_time=") as place:
        plain.send(make_frame().data)
        place.wait_for_frames(1)
    # The threads have ended: what was to be written is.
    assert plain.redis.keys("*") == [b"cam1"]


def test_results_of_cameras_that_came_another_way_are_not_written(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    plain = Plain(redis_server)
    with Place(redis_server.url) as place:
        place.hub.publish(make_frame(camera="http"))
        place.wait_for_frames(1, "http")
    assert plain.redis.exists("result") == 0


def test_the_last_result_is_written_at_the_end(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    answers = RedisAnswers(RedisPlace.parse(redis_server.url))
    answers.comes("cam1")
    answers.finished(result_of(make_frame, 1, "last"))
    answers.close()

    assert json.loads(Plain(redis_server).redis.get("result"))["result"] == "last"


def test_only_the_newest_result_of_a_camera_is_written(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    answers = RedisAnswers(RedisPlace.parse(f"{redis_server.url}?result={{camera}}"))
    for camera in ("cam1", "cam2"):
        answers.comes(camera)
        for seq in (1, 2, 5, 4):
            answers.finished(result_of(make_frame, seq, seq, camera))
    answers.step()
    answers.close()

    plain = Plain(redis_server)
    assert [json.loads(plain.redis.get(key))["result"] for key in ("cam1", "cam2")] == [5, 5]
    assert answers.outcomes() == {"superseded": 4, "written": 2}


def test_a_redis_that_stands_still_holds_up_no_hook_and_what_it_did_not_take_is_counted(
    redis_server: RedisServer, make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    answers = RedisAnswers(RedisPlace.parse(redis_server.url))
    answers.comes("cam1")
    redis_server.pause()
    with answers:
        started = time.monotonic()
        for seq in range(100):
            answers.finished(result_of(make_frame, seq, seq))
        assert time.monotonic() - started < 1.5
        give_up = time.monotonic() + 30
        while not answers.outcomes().get("failed"):
            assert time.monotonic() < give_up
            threading.Event().wait(0.01)
        redis_server.resume()
        plain = Plain(redis_server)
        answers.finished(result_of(make_frame, 100, 100))
        while not answers.outcomes().get("written"):
            assert time.monotonic() < give_up
            threading.Event().wait(0.01)

    assert json.loads(plain.redis.get("result"))["result"] == 100
    assert sum(answers.outcomes().values()) == 101
    [sentence] = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert sentence.endswith("?topic=img0: results are not written: no reply within 1.5 s")


def test_a_full_redis_is_said(make_frame: MakeFrame, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(maxmemory="100kb") as server:
        answers = RedisAnswers(RedisPlace.parse(server.url))
        answers.comes("cam1")
        answers.finished(result_of(make_frame, 1))
        answers.step()
        answers.close()

    assert answers.outcomes() == {"superseded": 0, "failed": 1}
    assert "results are not written: is full" in caplog.text
