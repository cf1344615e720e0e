"""Our sender, our receiver and programs in the classic style, as processes around one Redis."""

from __future__ import annotations

import base64
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
import requests

from shared import pattern
from tests.conftest import MakeFrame
from tests.program import Program, Receiver
from tests.receiver.bench import wait_until
from tests.receiver.listeners.place import Plain
from tests.redis_server import RedisServer

SIZE = "320x240"


class Algorithm:
    """The classic algorithm program: it subscribes, GETs, decodes, SETs `result`."""

    def __init__(self, server: RedisServer, *, is_base64: bool = False) -> None:
        self.numbers: list[int] = []
        self._redis: Any = server.client()
        self._is_base64 = is_base64
        self._stop = threading.Event()
        self._messages = self._redis.pubsub(ignore_subscribe_messages=True)
        self._messages.subscribe("img0")
        self._thread = threading.Thread(target=self._run, name="algorithm")

    def __enter__(self) -> Algorithm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._messages.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._messages.get_message(timeout=0.1)
            if message is None:
                continue
            value = self._redis.get(message["data"])
            data = base64.b64decode(value) if self._is_base64 else value
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            mark = pattern.read(np.asarray(image, np.uint8))
            assert mark is not None
            self.numbers.append(mark.number)
            self._redis.set("result", json.dumps({"number": mark.number}))


@contextmanager
def sending(server: RedisServer, *arguments: str) -> Iterator[Program]:
    """Run our sender with the test pattern; its status is at `port`."""
    line = [f"--to={server.url}", "--source=testsrc", f"--size={SIZE}", "--fps=25"]
    with Program("sender", *line, "--status-port=0", *arguments) as sender:
        yield sender


def status_of(sender: Program) -> Callable[[], Any]:
    port = int(sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1])
    return lambda: requests.get(f"http://127.0.0.1:{port}/status", timeout=30).json()["cameras"][0]


def camera_of(receiver: Receiver, name: str = "cam1") -> Any:
    answer = requests.get(f"{receiver.url}/cameras/{name}", timeout=30)
    return answer.json() if answer.status_code == 200 else {"processed": 0, "received": 0}


def wait_for_more(receiver: Receiver, frames: int = 5) -> None:
    goal = camera_of(receiver)["processed"] + frames
    wait_until(f"{frames} frames", lambda: camera_of(receiver)["processed"] >= goal)


@pytest.mark.parametrize("encoding", ["raw", "base64"])
def test_our_sender_s_frames_reach_our_hook_in_order_and_its_results_stand_in_redis(
    encoding: str,
) -> None:
    with RedisServer(password="canary") as server:
        plain = Plain(server)
        hook = ("--hook", "tests.witness:Witness")
        with (
            Receiver("--listen", server.url, *hook) as receiver,
            sending(server, "--encoding", encoding, "--digest") as sender,
        ):
            wait_until("20 frames", lambda: camera_of(receiver)["processed"] >= 20)
            seen = camera_of(receiver)
            result = json.loads(plain.redis.get("result"))
            keys = set(plain.redis.keys("*"))
            lasting = [key for key in keys if plain.redis.pttl(key) == -1]
            sender.stop()
            metrics = requests.get(f"{receiver.url}/metrics", timeout=30).text
            receiver.stop()

        assert seen["result"]["disorder"] == seen["result"]["illegible"] == 0
        assert seen["result"]["age_ms"] < 10_000
        # A busy receiver may find the newest frame for the message about the one before it, and
        # once more.
        assert seen["refused"] == 0
        assert (result["camera"], result["epoch"]) == ("cam1", seen["epoch"])
        assert keys == {b"cam1", b"cam1:envelope", b"result", b"receive_time"}
        assert lasting == []
        label = f'{{topic="img0",url="redis://127.0.0.1:{server.port}/0"}}'
        assert f"framepost_listener_up{label} 1.0" in metrics
        assert "canary" not in sender.output + receiver.output + metrics


@pytest.mark.parametrize("encoding", ["raw", "base64"])
def test_a_classic_program_reads_our_sender(redis_server: RedisServer, encoding: str) -> None:
    plain = Plain(redis_server)
    with (
        Algorithm(redis_server, is_base64=encoding == "base64") as algorithm,
        sending(redis_server, "--encoding", encoding) as sender,
    ):
        wait_until("10 pictures", lambda: len(algorithm.numbers) >= 10)
        assert sender.stop() == 0

    # A slow reader gets the newest frame for the message about the one before it, and once more.
    assert algorithm.numbers == sorted(algorithm.numbers)
    assert json.loads(plain.redis.get("result"))["number"] in algorithm.numbers


def test_a_stop_key_halts_our_sender_until_it_is_gone(redis_server: RedisServer) -> None:
    plain = Plain(redis_server)
    with sending(redis_server) as sender:
        status = status_of(sender)
        wait_until("frames", lambda: status()["posted"] >= 5)
        plain.redis.set("stop", 1)
        sender.wait_for("the key stop is set")
        posted = status()["posted"]
        wait_until("two looks", lambda: status()["refused"].get("503", 0) >= 2)
        assert status()["posted"] == posted

        plain.redis.delete("stop")
        wait_until("more frames", lambda: status()["posted"] > posted + 5)
        assert sender.output.count("the key stop is set") == 1


def test_a_classic_camera_program_gets_our_hook_s_result(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    plain = Plain(redis_server)
    with Receiver("--listen", redis_server.url, "--hook", "tests.sightings:process") as receiver:
        receiver.wait_for("listening$")
        receiver.wait_for("is ready")
        plain.send(base64.b64encode(make_frame().data).decode(), key="door")
        wait_until("a result", lambda: plain.redis.exists("result", "receive_time") == 2)
        result = json.loads(plain.redis.get("result"))
        assert receiver.stop() == 0

    assert result["camera"] == "door"
    assert [found["label"] for found in result["result"]["objects"]] == ["person", "cat"]


def test_http_goes_on_while_redis_is_away_and_frames_come_again_when_it_is_back(
    redis_server: RedisServer, make_frame: MakeFrame
) -> None:
    hook = ("--hook", "tests.sightings:process")
    with Receiver("--listen", redis_server.url, *hook) as receiver, sending(redis_server) as sender:
        receiver.wait_for("is ready")
        wait_until("frames", lambda: camera_of(receiver)["processed"] >= 5)
        for way in (redis_server.stop, redis_server.pause):
            way()
            lines = len(receiver.lines)
            receiver.wait_for("trying again")
            reply = requests.post(
                f"{receiver.url}/cameras/http/frames",
                make_frame(lines).data,
                headers={"Prefer": "wait=30"},
                timeout=40,
            )
            assert reply.json()["state"] == "processed"
            if way == redis_server.stop:
                redis_server.start()
            else:
                redis_server.resume()
            wait_for_more(receiver)
        assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200
        assert sender.stop() == 0
        assert receiver.stop() == 0

    for output in (sender.output, receiver.output):
        assert "Traceback" not in output


def test_both_programs_end_in_time_while_redis_stands_still(redis_server: RedisServer) -> None:
    with Receiver("--listen", redis_server.url) as receiver, sending(redis_server) as sender:
        wait_until("frames", lambda: camera_of(receiver)["received"] >= 5)
        redis_server.pause()
        for program in (sender, receiver):
            assert program.stop(signal.SIGTERM) == 0
        redis_server.resume()

    assert "hangs" not in sender.output
    assert "did not stop" not in receiver.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--transport=stream",), "sender: --transport: expected post for a Redis, got stream"),
        (("--token=canary",), "sender: --token: expected none for a Redis, whose password"),
        (("--to=redis://:canary@h?topik=x",), "sender: --to: expected no option but key, topic"),
        (("--to=redis://:canary@h:x",), "sender: --to: expected redis://[:PASSWORD@]HOST:PORT"),
    ],
)
def test_settings_that_do_not_fit_a_redis_are_said_in_a_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    line = ["--source=testsrc", "--to=redis://:canary@h", *arguments]
    with Program("sender", *line) as sender:
        assert sender.wait() == 2

    [said] = sender.lines
    assert sentence in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://:canary@h?topik=x", "RECEIVER_LISTEN: expected no option but topic, result"),
        ("redis://:canary@h:x", "RECEIVER_LISTEN: expected redis://[:PASSWORD@]HOST:PORT/DATABASE"),
        ("http://:canary@h", "RECEIVER_LISTEN: expected redis://HOST:PORT/DATABASE"),
        ("door", "zmq+sub://HOST:PORT, got 'door'"),
        ("redis://:canary@h?expire=x", "RECEIVER_LISTEN: expire: expected seconds from 0.001"),
        ("redis://h,redis://:canary@h", "RECEIVER_LISTEN: expected each once, got redis://h:6379"),
    ],
)
def test_a_wrong_listener_is_said_in_a_sentence(url: str, sentence: str) -> None:
    with Program("receiver", env={"RECEIVER_LISTEN": url}) as receiver:
        assert receiver.wait() == 2

    [said] = receiver.lines
    assert sentence in said
    assert "canary" not in said
