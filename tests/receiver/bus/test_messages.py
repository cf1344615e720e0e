"""Frames and results as they travel through Redis."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from receiver.bus import keys, messages
from receiver.bus.messages import FrameId
from receiver.region import Region, SharedFrame
from receiver.result import Result
from shared.frame import CAMERA_NAME, EncodedFrame
from tests.conftest import MakeFrame


def test_a_frame_comes_out_as_it_went_in_but_for_its_age(make_frame: MakeFrame) -> None:
    frame = make_frame(7, captured_at=time.time() - 2)

    facts, data = messages.write_frame(frame)
    read = messages.read_frame(facts, data, waited=3.0)

    assert (read.camera, read.epoch, read.seq, read.data) == ("cam1", "e1", 7, frame.data)
    assert read.captured_at == frame.captured_at
    assert read.age() == pytest.approx(5, abs=0.5)
    assert time.monotonic() - read.arrived == pytest.approx(3, abs=0.5)


def test_pixels_in_shared_memory_travel_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pixels"
    path.write_bytes(bytes(range(48)))
    fd = os.open(path, os.O_RDONLY)
    region = Region(fd, 0, 48)
    os.close(fd)
    frame = SharedFrame(
        camera="cam1",
        epoch="e",
        seq=1,
        captured_at=1.0,
        data=b"",
        width=4,
        height=4,
        media_type="application/x-raw-bgr; width=4; height=4",
        region=region,
    )

    facts, data = messages.write_frame(frame)
    region.close()

    assert data == bytes(range(48))
    read = messages.read_frame(facts, data, 0.0)
    assert type(read) is EncodedFrame
    assert read.media_type == frame.media_type


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_result_comes_out_as_it_went_in(make_frame: MakeFrame, is_ours: bool) -> None:
    frame = make_frame(3)
    result = Result(
        frame=frame,
        state="processed",
        value={"boxes": [[1, 2.5, None]], "text": "ü\n"},
        arrays={"boxes": ("float32", (1, 3))},
        picture=frame,
        queue=0.5,
        decode=0.25,
        hook=0.125,
    )

    outcome = messages.read_outcome(messages.write_outcome(FrameId("host:a", 5), "cam1", result))
    read = messages.read_result(outcome, frame if is_ours else None, None)

    assert outcome.id == FrameId("host:a", 5)
    assert (read.value, read.state, read.arrays) == (result.value, "processed", result.arrays)
    assert (read.decode, read.hook, read.is_ours) == (0.25, 0.125, is_ours)
    assert read.frame.seq == 3
    if not is_ours:
        assert read.queue == pytest.approx(0.5, abs=0.2)
        assert read.frame.data == b""


def test_a_frame_that_gave_way_has_no_result() -> None:
    message = messages.write_outcome(FrameId("host", 5), "cam1", None)

    assert messages.read_outcome(message).facts is None


def test_all_keys_of_a_camera_lie_in_one_slot_of_a_cluster() -> None:
    # What a camera's name may hold cannot end its hash tag.
    assert not CAMERA_NAME.fullmatch("a}b")
    assert not CAMERA_NAME.fullmatch("a{b")
    camera = "a.b-c_1"
    names = [key(camera) for key in (keys.frame, keys.lease, keys.taken, keys.shown)]
    names += [keys.kept_frame(camera, "h:1"), keys.drawn(keys.frame(camera))]

    assert {name[name.index("{") : name.index("}") + 1] for name in names} == {"{a.b-c_1}"}
    joined = [keys.RESULTS, keys.MEMBERS, keys.ERA, keys.tokens("*"), keys.tokens("x")]
    assert all("{work}" in name for name in joined)
