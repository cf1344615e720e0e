"""What users of receivers on a bus see over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from shared import codec, pattern
from tests.conftest import MakeFrame
from tests.program import Receiver
from tests.receiver.bench import wait_until
from tests.redis_server import RedisServer


@pytest.fixture
def pair(redis_server: RedisServer, tmp_path: Path) -> Iterator[tuple[Receiver, Receiver]]:
    """Two receivers, of which the first one runs the hook for both."""
    (tmp_path / "pair_hook.py").write_text("def process(frame): return {'seq': frame.seq}\n")
    bus = ("--bus", redis_server.url)
    with (
        Receiver(*bus, "--hook", "pair_hook", "--hook-path", str(tmp_path)) as first,
        Receiver(*bus) as second,
    ):
        wait_until("the hook", lambda: _hooks(first) == _hooks(second) == ["ready"])
        yield first, second


def _hooks(receiver: Receiver) -> list[str]:
    hooks = requests.get(f"{receiver.url}/hooks", timeout=30).json()["hooks"]
    return [hook["state"] for hook in hooks]


def post(receiver: Receiver, data: bytes, **headers: str) -> requests.Response:
    return requests.post(
        f"{receiver.url}/cameras/door/frames",
        data,
        headers={"Content-Type": "image/jpeg", **headers},
        timeout=15,
    )


def test_either_receiver_takes_answers_and_shows(
    pair: tuple[Receiver, Receiver], make_frame: MakeFrame
) -> None:
    first, second = pair

    answer = post(second, make_frame(21).data, Prefer="wait=10")

    assert answer.status_code == 200
    assert answer.json()["state"] == "processed"

    def seen() -> bool:
        there = requests.get(f"{first.url}/cameras", timeout=30).json()["cameras"]
        return [(c["camera"], c["processed"], c["state"]) for c in there] == [("door", 1, "live")]

    wait_until("the other one to know the camera", seen)
    picture = requests.get(f"{first.url}/cameras/door/frame.jpg", timeout=30)
    assert picture.status_code == 200
    mark = pattern.read(codec.decode(picture.content))
    assert mark is not None
    assert mark.number == 21
    result = requests.get(f"{first.url}/cameras/door/result", timeout=30).json()
    assert result["result"] == answer.json()["result"]


def test_a_bus_that_is_down_is_said_and_the_rest_goes_on(
    pair: tuple[Receiver, Receiver], make_frame: MakeFrame, redis_server: RedisServer
) -> None:
    _, second = pair
    post(second, make_frame(1).data)
    redis_server.stop()

    def degraded() -> bool:
        said = requests.get(f"{second.url}/readyz", timeout=30)
        assert said.status_code == 200
        return said.json()["status"] == "degraded" and "bus redis://" in said.json()["problems"][0]

    wait_until("the word", degraded, 2)
    assert post(second, make_frame(2).data).status_code == 202
    assert post(second, make_frame(3).data, Prefer="wait=5").status_code == 202
    url = f"{second.url}/cameras/door/frames?mode=every"
    refused = requests.post(
        url, make_frame(4).data, headers={"Content-Type": "image/jpeg"}, timeout=10
    )
    assert refused.status_code in (409, 503)
    picture = requests.get(f"{second.url}/cameras/door/frame.jpg", timeout=30)
    mark = pattern.read(codec.decode(picture.content))
    assert mark is not None
    assert mark.number == 3
    metrics = requests.get(f"{second.url}/metrics", timeout=30).text
    assert "framepost_bus_up 0.0" in metrics
    assert "framepost_bus_outages_total 1.0" in metrics
    redis_server.start()
    wait_until(
        "an answer",
        lambda: post(second, make_frame(5).data, Prefer="wait=1").status_code == 200,
        5,
    )
