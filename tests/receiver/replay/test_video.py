"""A video is a film that others play: one size, rising times, and what was drawn in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from receiver.replay.video import Video, VideoError
from receiver.result import Result
from shared.film import Film
from shared.frame import EncodedFrame
from shared.recording import Recording
from tests.recordings import make_frames


def result(frame: EncodedFrame) -> Result:
    return Result(frame=frame, state="processed", picture=frame, queue=0.0, decode=0.0, hook=0.0)


def test_pictures_of_other_sizes_are_scaled_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "drawn.mkv"
    video = Video(path, ["cam1"], quality=90)
    small, large = make_frames(2), make_frames(2, first=2, size=(320, 240))
    for number, frame in enumerate([*small, *large]):
        video.add(result(frame), 7 + number * 0.5)
    video.close()

    found = list(Recording.open(path).frames())

    assert [frame.data for frame in found[:2]] == [frame.data for frame in small]
    assert [(frame.width, frame.height) for frame in found] == [(160, 120)] * 4
    assert [frame.pts for frame in found] == pytest.approx([0, 0.5, 1.0, 1.5])


def test_a_damaged_frame_of_another_size_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "drawn.mkv"
    video = Video(path, ["cam1"], quality=90)
    good, bad = make_frames(1)[0], make_frames(1, size=(320, 240))[0]
    video.add(result(good), 0.0)
    video.add(result(replace(bad, data=b"\xff\xd8 no picture")), 0.04)
    video.add(result(good), 0.08)
    video.close()

    with Film(path) as film:
        assert [at for at, _ in film.pictures()] == pytest.approx([0, 0.08])


def test_no_two_pictures_have_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "drawn.mkv"
    video = Video(path, ["cam1"], quality=90)
    for frame in make_frames(3):
        video.add(result(frame), 1.0)
    video.close()

    with Film(path) as film:
        assert [at for at, _ in film.pictures()] == pytest.approx([0, 0.001, 0.002])


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "full.mkv"
    path.symlink_to("/dev/full")
    video = Video(path, ["cam1"], quality=90)

    told = r"full\.mkv: cannot be written \(No space left"

    def fill() -> None:
        for frame in make_frames(20) * 100:
            video.add(result(frame), 1.0)

    with pytest.raises(VideoError, match=told):
        fill()
    with pytest.raises(VideoError, match=told):
        video.close()
