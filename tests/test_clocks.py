"""Ages stay right though the sender's clock is wrong, with real programs and libfaketime."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import missing
from tests.program import Program, Receiver

#: The lie is twice as large; a busy machine is not that slow.
SLOW = 2.5

HOOK = """
class Ages:
    stateful = True

    def __init__(self):
        self.ages = []

    def process(self, frame):
        self.ages.append(frame.age)
        # Of the very first frame nothing can be known.
        return {"ages": self.ages[1:][-1000:]}
"""


class Clock:
    """The clock of a program, which can be set while it runs."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file

    def set(self, ahead: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead:+}\n", encoding="utf-8")
        os.replace(new, self._file)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # Whoever sets a machine's clock sets this one only.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    for folder in (Path("/usr/lib"), Path("/usr/local/lib")):
        for library in sorted(folder.glob("**/faketime/libfaketimeMT.so.1")):
            return Clock(library, tmp_path / "clock")
    missing("libfaketime", "apt-get install faketime")
    raise AssertionError


class Scene:
    """A receiver with the hook above, and a sender that lives by the other clock."""

    def __init__(self, receiver: Receiver, sender: Program) -> None:
        self._receiver = receiver
        self._sender = sender
        self._status = sender.wait_for(r"status on (http://[^ ]+)")[1]

    def camera(self) -> dict[str, Any]:
        answer = requests.get(f"{self._receiver.url}/cameras/cam1", timeout=30)
        content: dict[str, Any] = answer.json() if answer.ok else {}
        return content

    def ages(self) -> list[float]:
        ages: list[float] = (self.camera().get("result") or {}).get("ages", [])
        return ages

    def sent(self) -> dict[str, Any]:
        content: dict[str, Any] = requests.get(self._status, timeout=30).json()["cameras"][0]
        return content

    def has_jumped(self, times: int) -> bool:
        """Say whether the sender, and with its next frame the receiver, noticed that often."""
        known = (self.sent()["clock_jumps"], self.camera()["clock"]["jumps"])
        return known == (times, times)

    def wait_for_frames(self, more: int = 30) -> None:
        goal = len(self.ages()) + more
        self.wait_until(f"{more} frames at the hook", lambda: len(self.ages()) >= goal)

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            said = f"{self._sender.output}\n{self._receiver.output}"
            assert time.monotonic() < deadline, f"not so: {what}\n{said}"
            time.sleep(0.05)


@pytest.fixture
def scene(clock: Clock, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Return a scene whose sender's clock is the test's parameter ahead."""
    clock.set(request.param)
    (tmp_path / "ages.py").write_text(HOOK, encoding="utf-8")
    with Receiver("--hook", "ages:Ages", "--hook-path", str(tmp_path)) as receiver:
        receiver.wait_for("is ready")
        sender = Program(
            "sender",
            *("--source", "testsrc", "--size", "320x180", "--to", receiver.url),
            *("--status-port", "0"),
            env=clock.environment,
        )
        with sender:
            yield Scene(receiver, sender)
            assert sender.stop() == 0
            assert "Traceback" not in sender.output


@pytest.mark.parametrize("scene", [0.0, 5.0, -5.0], indirect=True)
def test_the_age_is_right_whatever_the_sender_s_clock_says(
    scene: Scene, request: pytest.FixtureRequest
) -> None:
    ahead = request.node.callspec.params["scene"]
    scene.wait_for_frames()

    known, sent = scene.camera()["clock"], scene.sent()
    ages = scene.ages()
    assert 0 < min(ages) <= max(ages) < SLOW
    # To what the figures are rounded to.
    assert abs(known["offset_ms"] + ahead * 1000) <= known["error_ms"] + 0.02
    assert abs(sent["clock_offset_ms"] + ahead * 1000) <= sent["clock_error_ms"] + 0.02
    assert (known["jumps"], known["absurd"]) == (0, 0)
    assert known["skew"] <= 1
    assert 0 <= sent["age_ms"] < SLOW * 1000


@pytest.mark.parametrize("scene", [0.0], indirect=True)
def test_the_age_stays_right_while_the_sender_s_clock_is_set(scene: Scene, clock: Clock) -> None:
    for number, ahead in enumerate((5.0, -5.0, 3600.0, 0.0), start=1):
        scene.wait_for_frames(10)
        clock.set(ahead)
        scene.wait_until("both sides know", partial(scene.has_jumped, number))
    scene.wait_for_frames(10)

    known, sent = scene.camera()["clock"], scene.sent()
    ages = scene.ages()
    assert 0 < min(ages) <= max(ages) < SLOW
    assert (known["jumps"], known["skew"], known["absurd"]) == (4, 0, 0)
    assert abs(known["offset_ms"]) <= known["error_ms"] + 0.02
    assert 0 <= sent["age_ms"] < SLOW * 1000
