"""What a receiver recorded and a sender sends again is recorded again as it was."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from shared.recording import Recording, find
from tests.program import Program, Receiver


def send(receiver: Receiver, source: str, camera: str, *more: str) -> Program:
    where = ("--source", source, "--camera", camera, "--to", receiver.url)
    return Program("sender", *where, *more)


def wait_for_frames(receiver: Receiver, camera: str, number: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        reply = requests.get(f"{receiver.url}/cameras/{camera}", timeout=30)
        if reply.ok and reply.json()["received"] >= number:
            return
        assert time.monotonic() < deadline, receiver.output
        time.sleep(0.05)


def record(folder: Path) -> None:
    """Record the test pattern as camera `first`, and its recording, sent again, as `second`."""
    arguments = ("--record", str(folder), "--hook", "hooks.brightness:process")
    with Receiver(*arguments) as receiver:
        receiver.wait_for("is ready")
        with send(receiver, "testsrc", "first", "--size", "320x240", "--fps", "10") as sender:
            wait_for_frames(receiver, "first", 20)
            assert sender.stop() == 0
        assert receiver.stop() == 0
    with Receiver(*arguments) as receiver:
        with send(receiver, str(folder / "first"), "second") as sender:
            assert sender.wait(seconds=30) == 0
        assert receiver.stop() == 0


def test_bytes_numbers_and_times_are_those_of_the_first_recording(tmp_path: Path) -> None:
    record(tmp_path)
    first, second = (one_of(tmp_path / name) for name in ("first", "second"))

    before = {frame.seq: frame for frame in first.frames()}
    after = list(second.frames())

    # A busy machine may have lost some of them on the way: newest wins.
    assert len(after) >= min(10, len(before) // 2)
    assert all(frame.data == before[frame.seq].data for frame in after)
    shift = before[after[0].seq].pts - after[0].pts
    assert [frame.pts + shift for frame in after] == pytest.approx(
        [before[frame.seq].pts for frame in after], abs=0.002
    )
    epoch = before[after[0].seq].epoch
    assert {frame.epoch[:-9] for frame in after} == {epoch}
    assert first.complete
    assert second.complete
    # What the hook said live, and what it says of the recording now.
    with Program(
        *("receiver.replay", str(first.path), "--hook", "hooks.brightness:process"),
        *("--compare", "recording"),
    ) as replay:
        assert replay.wait(seconds=60) == 0
    assert replay.wait_for(r"^(\d+) same, 0 changed, 0 only old")[1] == str(len(first.results()))


def one_of(folder: Path) -> Recording:
    (found,) = find(folder)
    return found
