"""A recorder that works when it is told to, and the results of its frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from receiver.recording.plan import Plan
from receiver.recording.recorder import Recorder
from receiver.recording.schedule import Schedule
from receiver.result import Result
from shared.frame import EncodedFrame

MakeRecorder = Callable[..., Recorder]


@pytest.fixture
def make_recorder(tmp_path: Path) -> MakeRecorder:
    """Return a maker of recorders without a thread: `work` and `close` are called by hand."""

    def make(*when: str, queue: int = 64 << 20, held: int = 64 << 20, **plan: Any) -> Recorder:
        schedule = Schedule.parse(when or ["always"])
        return Recorder(Plan(folder=tmp_path, schedule=schedule, **plan), queue=queue, held=held)

    return make


def result_of(frame: EncodedFrame, value: Any = None, *, is_ours: bool = True) -> Result:
    return Result(
        frame=frame,
        state="processed",
        value=value,
        picture=frame,
        queue=0.001,
        decode=0.002,
        hook=0.003,
        is_ours=is_ours,
    )


def pictures(path: Path) -> list[tuple[int, bytes]]:
    """Return (milliseconds, JPEG) of each packet, as FFmpeg's demuxer finds them."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(int(packet.pts or 0), bytes(packet)) for packet in packets]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def frame_lines(path: Path) -> list[dict[str, Any]]:
    return [line["frame"] for line in lines(path) if "frame" in line]


def videos(folder: Path) -> list[Path]:
    """Return the recordings' .mkv, oldest first."""
    return sorted(folder.glob("*/*.mkv"), key=lambda path: (path.name, path.parent.name))
