from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measuring import fleet
from benchmarks.measuring.contest import turn_of
from benchmarks.measuring.fleet import Fleet, figures
from benchmarks.measuring.sink import VARIABLE, Note, read_notes
from benchmarks.programs.camera_hook import Noting
from receiver.frame import Frame
from tests.conftest import MakeFrame


def turn(*frames: int, cpu: float = 1.0) -> Fleet:
    """Return a turn of 10 seconds in which so many frames of each camera came."""
    notes = [[Note(True, n, 5.0, 5.02) for n in range(count)] for count in frames]
    cameras = tuple(turn_of(each, 10.0, cpu={}, memory={}) for each in notes)
    memory = {"sender": 10_000_000, "receiver": 20_000_000}
    return Fleet(10.0, cameras, {"sender": cpu, "receiver": 2 * cpu}, memory, 0.5)


def test_what_a_camera_costs_is_the_whole_divided_by_the_cameras() -> None:
    row = figures([turn(100, 100, 100, 100, cpu=2.0)])

    assert row["cpu_percent_per_camera"] == {"sender": 5, "receiver": 10}
    assert row["cpu_us_per_frame"] == {"sender": 5000, "receiver": 10000}
    assert row["p99_ms"] == 20


def test_uneven_cameras_are_told() -> None:
    row = figures([turn(100, 40, 90)])

    assert (row["fps"], row["slowest_fps"], row["fastest_fps"]) == (23, 4, 10)


def test_nothing_that_came_costs_nothing_by_the_frame() -> None:
    row = figures([turn(0, 0)])

    assert row["fps"] == 0
    assert row["p99_ms"] == 0


def test_a_camera_whose_frames_do_not_come_ends_the_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_START_SECONDS", 0.0)
    (tmp_path / "cam0").touch()

    with pytest.raises(RuntimeError, match="no frame of 1 of 2 cameras"):
        fleet.measure([tmp_path / "cam0", tmp_path / "cam1"], {}, 1.0)


def test_each_camera_has_notes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_frame: MakeFrame
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    hook = Noting()
    hook.setup()
    for camera, number in (("a", 1), ("b", 2), ("a", 3)):
        assert hook.process(Frame(make_frame(number, camera=camera))) == number
    hook.teardown()

    assert [note.number for note in read_notes(tmp_path / "a")] == [1, 3]
    assert [note.number for note in read_notes(tmp_path / "b")] == [2]
