"""Profile scale for real: several receivers and workers, of which some come and some die."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from shared import codec, pattern
from tests.compose_project import ComposeProject, docker, state

#: What the command in the README names; the others come along.
STARTED = "scale-sender"
SERVICES = ("redis", "scale-receiver", "worker", "balancer", "scale-sender")
#: Whose frames the test posts, besides the sender's.
CAMERAS = ("door", "yard")
_LOOK = """
import json, urllib.request
cameras = json.load(urllib.request.urlopen("http://127.0.0.1:8000/cameras", timeout=30))["cameras"]
print(json.dumps({camera["camera"]: camera["processed"] for camera in cameras}))
"""


@pytest.fixture
def scale() -> Iterator[ComposeProject]:
    with ComposeProject("framepost-scale-test", "scale") as scale:
        scale.need_engine()
        scale.run("build", "-q", *SERVICES[1:])
        up(scale, workers=2)
        yield scale


def up(scale: ComposeProject, *, workers: int) -> None:
    wanted = ["--scale", "scale-receiver=2", "--scale", f"worker={workers}"]
    scale.run("up", "-d", "--no-recreate", *wanted, STARTED)


class Posts:
    """Posts frames through the balancer, and waits for what the hook made of each."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seq = 0

    def one(self, camera: str) -> str:
        """Return the next frame's state, or why it was not taken."""
        self._seq += 1
        jpeg = codec.encode(pattern.draw(self._seq, 320, 240), 80)
        headers = {
            "Content-Type": "image/jpeg",
            "Prefer": "wait=5",
            "X-Frame-Epoch": "e",
            "X-Frame-Seq": str(self._seq),
        }
        try:
            answer = requests.post(
                f"{self._url}/cameras/{camera}/frames", jpeg, headers=headers, timeout=20
            )
        except requests.ConnectionError:
            return "its receiver died over it"
        told = answer.json()
        assert told.get("state") != "processed" or "result" in told
        return str(told.get("state", answer.status_code))

    def go_on(self) -> bool:
        """Tell whether ten frames of each camera in a row were processed."""
        return all(self.one(camera) == "processed" for _ in range(10) for camera in CAMERAS)


def test_receivers_and_workers_come_and_die_and_frames_go_on(scale: ComposeProject) -> None:
    scale.wait_until("every service is healthy", lambda: scale.is_healthy(*SERVICES))
    url = scale.address("balancer", 8000)
    posts = Posts(url)
    scale.wait_until("results of both cameras", posts.go_on)

    receivers = scale.containers("scale-receiver")
    assert len(receivers) == 2
    scale.wait_until(
        "each receiver shows all cameras",
        lambda: all(seen(one).keys() == {*CAMERAS, "cam1"} for one in receivers),
    )
    shown = requests.get(f"{url}/cameras", timeout=30).json()["cameras"]
    assert {camera["camera"] for camera in shown} == {*CAMERAS, "cam1"}

    up(scale, workers=4)
    assert len(scale.containers("worker")) == 4
    scale.wait_until("four workers are healthy", lambda: scale.is_healthy("worker"))
    assert posts.go_on()
    before = seen(receivers[1])["cam1"]

    killed = [scale.containers("worker")[0], receivers[0]]
    docker("kill", *killed)
    scale.wait_until("frames go on", posts.go_on, seconds=20)
    scale.wait_until("the sender's too", lambda: seen(receivers[1])["cam1"] > before + 100)

    scale.run("stop")
    ended = {
        one: state(one)["ExitCode"] for service in SERVICES for one in scale.containers(service)
    }
    assert ended == {one: 137 if one in killed else 0 for one in ended}


def seen(receiver: str) -> dict[str, int]:
    """Return how many frames of each camera were processed, as the receiver says."""
    said: dict[str, int] = json.loads(docker("exec", receiver, "python", "-c", _LOOK))
    return said
