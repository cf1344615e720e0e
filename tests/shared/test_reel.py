"""Recordings one after the other are one line of time, without long breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.recording import find
from shared.reel import Reel
from tests.recordings import at_hour, make_frames, write_recording


def test_what_goes_on_goes_on_and_a_long_break_is_a_second(tmp_path: Path) -> None:
    write_recording(tmp_path, make_frames(3))
    write_recording(tmp_path, at_hour(make_frames(3, first=3), 0.12 / 3600))  # it goes on
    write_recording(tmp_path, at_hour(make_frames(2, epoch="e2"), 5))

    frames = list(Reel(find(tmp_path)).frames())

    assert [frame.seq for frame in frames] == [0, 1, 2, 3, 4, 5, 0, 1]
    assert [frame.pts for frame in frames] == pytest.approx(
        [0, 0.04, 0.08, 0.12, 0.16, 0.2, 1.2, 1.24], abs=1e-6
    )


def test_the_line_never_goes_back(tmp_path: Path) -> None:
    one = write_recording(tmp_path / "one", make_frames(3))
    # Captured earlier, by a clock that was set back, and recorded later.
    other = write_recording(tmp_path / "other", at_hour(make_frames(3, first=3), -1))

    reel = Reel([*find(one.film), *find(other.film)])

    assert reel.length == 6
    times = [frame.pts for frame in reel.frames()]
    assert times == sorted(set(times))
    assert times[-1] < 0.2
