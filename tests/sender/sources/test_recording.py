"""Recordings are sent again as they were: bytes, numbers and the times between them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sender.source import EndOfSource, Shot, Source, SourceError, SourceOptions, open_source
from sender.sources.file import FileSource
from sender.sources.recording import RecordingSource
from tests.recordings import at_hour, make_frames, write_recording

FAST = SourceOptions(pace="fast")


@contextmanager
def opened(path: Path, options: SourceOptions = FAST) -> Iterator[Source]:
    source = open_source(str(path), options)
    try:
        source.open()
        yield source
    finally:
        source.close()


def shots_of(source: Source) -> list[Shot]:
    found: list[Shot] = []
    while True:
        try:
            found.append(source.read())
        except EndOfSource:
            return found


def place(shot: Shot) -> tuple[str, int]:
    assert shot.place is not None
    return shot.place.epoch, shot.place.seq


@pytest.mark.parametrize("which", ["film", "sidecar", "folder"])
def test_jpegs_and_numbers_are_those_that_were_recorded(tmp_path: Path, which: str) -> None:
    written = write_recording(tmp_path, make_frames(6, first=70))
    path = written.film.parent if which == "folder" else getattr(written, which)

    with opened(path) as source:
        assert source.finite
        assert source.length == 6
        shots = shots_of(source)

    assert [shot.picture.to_jpeg(1) for shot in shots] == [f.data for f in written.frames]
    assert [place(shot)[1] for shot in shots] == list(range(70, 76))


def test_the_epoch_is_the_recorded_one_and_new_for_each_run(tmp_path: Path) -> None:
    path = write_recording(tmp_path, make_frames(2, epoch="5f0c21d4")).film
    epochs: list[str] = []
    for _ in range(2):
        with opened(path) as source:
            found = {place(shot)[0] for shot in shots_of(source)}
            assert len(found) == 1
            epochs += found

    assert all(epoch.startswith("5f0c21d4~") for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_a_replay_of_a_replay_has_an_epoch_of_the_same_length(tmp_path: Path) -> None:
    for epoch, begins in (("e1~0123abcd", "e1~"), ("e" * 64, "e" * 55 + "~"), ("", "~")):
        path = write_recording(tmp_path / begins, make_frames(1, epoch=epoch)).film
        with opened(path) as source:
            found = place(source.read())[0]
        assert found.startswith(begins)
        assert len(found) == len(begins) + 8


def test_each_round_of_a_loop_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    path = write_recording(tmp_path, make_frames(3)).film

    with opened(path, SourceOptions(pace="fast", loop=True)) as source:
        assert not source.finite
        places = [place(source.read()) for _ in range(7)]

    assert [seq for _, seq in places] == [0, 1, 2, 0, 1, 2, 0]
    assert len({epoch for epoch, _ in places}) == 3


def test_frames_come_when_they_are_due_and_say_so_exactly(tmp_path: Path) -> None:
    frames = make_frames(6, fps=20)
    del frames[2]  # it was lost before it was recorded
    path = write_recording(tmp_path, frames).film

    with opened(path, SourceOptions()) as source:
        begun = time.monotonic()
        shots = shots_of(source)
        took = time.monotonic() - begun

    gaps = [b.captured - a.captured for a, b in itertools.pairwise(shots)]
    assert gaps == pytest.approx([0.05, 0.1, 0.05, 0.05], abs=1e-6)
    assert took == pytest.approx(0.25, abs=0.1)


def test_a_folder_is_one_recording(tmp_path: Path) -> None:
    write_recording(tmp_path, make_frames(3))
    write_recording(tmp_path, at_hour(make_frames(3, first=3), 0.12 / 3600))  # it goes on
    write_recording(tmp_path, at_hour(make_frames(3, epoch="e2"), 5))

    with opened(tmp_path / "cam1") as source:
        assert source.length == 9
        shots = shots_of(source)

    assert [place(shot)[1] for shot in shots] == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert len({place(shot)[0] for shot in shots}) == 2


def test_an_interrupt_ends_the_wait_for_a_frame(tmp_path: Path) -> None:
    frames = [make_frames(1)[0], at_hour(make_frames(2), 1)[1]]
    path = write_recording(tmp_path, frames).film

    with opened(path, SourceOptions()) as source:
        source.read()
        source.interrupt()
        with pytest.raises(SourceError) as caught:
            source.read()

    assert caught.value.reason == "interrupted"


def test_a_film_without_a_sidecar_goes_on_as_a_film(tmp_path: Path) -> None:
    written = write_recording(tmp_path)
    assert isinstance(open_source(str(written.film), FAST), RecordingSource)

    written.sidecar.write_text('{"mine": 1}\n')
    assert isinstance(open_source(str(written.film), FAST), FileSource)
    with opened(written.film) as source:
        assert {shot.place for shot in shots_of(source)} == {None}


def test_recordings_of_several_cameras_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for camera in ("a", "b"):
        write_recording(tmp_path, make_frames(1, camera=camera))

    with pytest.raises(SourceError) as caught, opened(tmp_path):
        pass

    assert caught.value.permanent
    assert str(caught.value) == (
        f"{tmp_path}: expected the recordings of one camera, got those of a, b; name one's folder"
    )


@pytest.mark.parametrize("loop", [False, True])
def test_a_recording_without_a_whole_picture_is_said_so(tmp_path: Path, loop: bool) -> None:
    written = write_recording(tmp_path, make_frames(1))
    written.film.write_bytes(written.film.read_bytes()[:-1500])
    assert written.film.stat().st_size > 500

    with (
        pytest.raises(SourceError, match="there is no whole picture in it") as caught,
        opened(written.film, SourceOptions(pace="fast", loop=loop)) as source,
    ):
        source.read()

    assert caught.value.permanent
