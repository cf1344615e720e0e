"""A receiver's wish, from the person who puts it to the frames that come, with real programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.program import Program, Receiver


class Scene:
    """A receiver, and a sender with the test pattern in 320x180 at 25 frames a second."""

    def __init__(self, receiver: Receiver, sender: Program) -> None:
        self.sender = sender
        self._receiver = receiver
        self._camera = f"{receiver.url}/cameras/cam1"
        self._status = sender.wait_for(r"status on (http://[^ ]+)")[1]

    def wish(self, method: str, **wish: object) -> None:
        answer = requests.request(method, f"{self._camera}/control", json=wish or None, timeout=30)
        assert answer.ok, answer.text

    def camera(self) -> dict[str, Any]:
        answer = requests.get(self._camera, timeout=30)
        content: dict[str, Any] = answer.json() if answer.ok else {}
        return content

    def sent(self) -> dict[str, Any]:
        content: dict[str, Any] = requests.get(self._status, timeout=30).json()["cameras"][0]
        return content

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            said = f"{self.sender.output}\n{self._receiver.output}"
            assert time.monotonic() < deadline, f"not so: {what}\n{said}"
            time.sleep(0.05)

    def wait_for_frames(self, more: int) -> None:
        goal = self.camera().get("received", 0) + more
        self.wait_until(f"{more} frames", lambda: self.camera().get("received", 0) >= goal)


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Return a scene; the test's parameter is more of the sender's arguments."""
    with Receiver() as receiver:
        sender = Program(
            "sender",
            *("--source", "testsrc", "--size", "320x180", "--to", receiver.url),
            *("--status-port", "0", *getattr(request, "param", ())),
        )
        with sender:
            yield Scene(receiver, sender)


def test_a_sender_obeys_and_is_set_free_again(scene: Scene) -> None:
    scene.wait_for_frames(5)
    scene.wish("PUT", fps=8, size="200x200", quality=30)
    scene.sender.wait_for("camera cam1: the receiver wishes fps=8; size=200x200; quality=30")
    scene.wait_until("small frames", lambda: scene.camera()["height"] == 112)
    scene.wait_until("frames left out", lambda: scene.sent()["thinned"] >= 10)
    assert scene.sent()["obeyed"] == {"fps": 8, "size": "200x200", "quality": 30}
    assert scene.camera()["width"] == 200

    scene.wish("DELETE")
    scene.sender.wait_for("camera cam1: the receiver takes frames as they are again")
    scene.wait_until("full size", lambda: scene.camera()["height"] == 180)

    thinned = scene.sent()["thinned"]
    scene.wait_for_frames(20)
    assert scene.sent()["thinned"] == thinned
    assert scene.sent()["obeyed"] is None


@pytest.mark.parametrize("scene", [["--no-obey"]], indirect=True)
def test_a_sender_that_is_told_not_to_obey_goes_on(scene: Scene) -> None:
    scene.wish("PUT", fps=1, size="64x64")
    scene.sender.wait_for("the receiver wishes fps=1; size=64x64; not obeyed")
    scene.wait_for_frames(20)

    assert scene.camera()["width"] == 320
    assert (scene.sent()["obeyed"], scene.sent()["thinned"]) == (None, 0)
