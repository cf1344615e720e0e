"""Footage is every camera's frames, in the order of their capture, and no more than is wished."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.replay.footage import Footage
from shared.errors import RecordingError
from shared.recording import find
from tests.recordings import STARTED, at_hour, make_frames, write_recording


def test_cameras_are_mixed_by_the_time_of_capture(tmp_path: Path) -> None:
    write_recording(tmp_path, make_frames(3, camera="b", fps=10))
    write_recording(tmp_path, make_frames(3, camera="a", fps=10, started=STARTED + 0.15))
    write_recording(tmp_path, at_hour(make_frames(1, camera="b", first=9), 1))

    footage = Footage(find(tmp_path))

    assert footage.cameras == ["a", "b"]
    assert footage.count() == 7
    frames = list(footage.frames())
    assert [(f.camera, f.seq) for f in frames] == [
        *(("b", 0), ("b", 1), ("a", 0), ("b", 2), ("a", 1), ("a", 2), ("b", 9)),
    ]
    assert {frame.age() for frame in frames} == {0}


def test_a_part_is_cut_by_the_seconds_since_the_first_frame(tmp_path: Path) -> None:
    frames = make_frames(10, fps=1)
    write_recording(tmp_path, frames)
    write_recording(tmp_path, at_hour(make_frames(10, first=10, fps=1), 1))

    def numbers(begin: float, end: float) -> list[int]:
        return [frame.seq for frame in Footage(find(tmp_path), begin=begin, end=end).frames()]

    assert numbers(2, 4) == [2, 3, 4]
    assert numbers(8.5, 3601) == [9, 10, 11]
    assert numbers(3608, 9999) == [18, 19]
    assert numbers(100, 200) == []
    assert Footage(find(tmp_path), begin=3601, end=9999).count() == 9


def test_a_camera_whose_clock_is_wrong_is_cut_by_its_own(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(10, fps=1))
    text = written.sidecar.read_text()
    # The recording's clock said that it was five hours later.
    written.sidecar.write_text(text.replace(str(STARTED), str(STARTED + 18000), 1))

    footage = Footage(find(tmp_path), begin=2, end=4)

    assert [frame.seq for frame in footage.frames()] == [2, 3, 4]


def test_footage_without_a_picture_is_refused(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(1))
    written.film.write_bytes(written.film.read_bytes()[:-1500])

    with pytest.raises(RecordingError, match="there is no whole picture in it"):
        Footage(find(tmp_path))
