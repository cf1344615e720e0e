"""Video files: every frame once, at the right moment, and one sentence for what is no video."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sender.picture import JpegPicture
from sender.source import EndOfSource, Shot, Source, SourceError, SourceOptions, open_source
from shared import codec, pattern
from tests.sender.sources.conftest import MakeVideo

FAST = SourceOptions(pace="fast")


@contextmanager
def opened(path: Path, options: SourceOptions = FAST) -> Iterator[Source]:
    source = open_source(str(path), options)
    try:
        source.open()
        yield source
    finally:
        source.close()


def number(shot: Shot) -> int:
    mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
    assert mark is not None
    return mark.number


def shots_of(source: Source) -> list[Shot]:
    found: list[Shot] = []
    while True:
        try:
            found.append(source.read())
        except EndOfSource:
            return found


def numbers_of(source: Source) -> list[int]:
    return [number(shot) for shot in shots_of(source)]


def failure(path: Path) -> SourceError:
    source = open_source(str(path), FAST)
    with pytest.raises(SourceError) as caught:
        start(source)
    source.close()
    return caught.value


def start(source: Source) -> None:
    source.open()
    source.read()


@pytest.mark.parametrize(
    ("name", "encoder"), [("a.mp4", "libx264"), ("a.mkv", "libx265"), ("a.ts", "mpeg2video")]
)
def test_every_frame_comes_once_in_the_order_of_its_showing(
    make_video: MakeVideo, name: str, encoder: str
) -> None:
    # With B-frames the decoder gets them in another order.
    path = make_video(
        name, codec=encoder, frames=30, options={"bf": "2", "x265-params": "log-level=none"}
    )

    with opened(path) as source:
        assert source.finite
        assert numbers_of(source) == list(range(30))


def test_the_number_of_frames_is_known(make_video: MakeVideo) -> None:
    for name in ("a.mp4", "a.mkv"):
        with opened(make_video(name, frames=20)) as source:
            assert source.length == 20


def test_frames_come_at_the_pace_of_the_film(make_video: MakeVideo) -> None:
    with opened(make_video(frames=6, fps=20), SourceOptions()) as source:
        shots = [source.read() for _ in range(6)]

    # Later where the machine is busy; `test_pace` has the times to the millisecond.
    assert shots[5].captured - shots[0].captured > 5 / 20 - 0.04


def test_fast_does_not_wait(make_video: MakeVideo) -> None:
    with opened(make_video(frames=20, fps=1)) as source:
        start = time.monotonic()
        for _ in range(20):
            source.read()

    assert time.monotonic() - start < 15


def test_a_loop_begins_again_without_an_end(make_video: MakeVideo) -> None:
    with opened(make_video(frames=5), SourceOptions(pace="fast", loop=True)) as source:
        assert not source.finite
        assert source.length is None
        assert [number(source.read()) for _ in range(12)] == [*range(5), *range(5), 0, 1]


def test_a_loop_keeps_its_pace(make_video: MakeVideo) -> None:
    with opened(make_video(frames=4, fps=20), SourceOptions(loop=True)) as source:
        shots = [source.read() for _ in range(9)]

    assert shots[-1].captured - shots[0].captured == pytest.approx(8 / 20, abs=0.12)


def test_a_motion_jpeg_film_s_pictures_are_passed_on_without_decoding(
    make_video: MakeVideo,
) -> None:
    path = make_video("a.avi", codec="mjpeg", pixels="yuvj420p", frames=3)

    with opened(path) as source:
        assert isinstance(source.read().picture, JpegPicture)
        assert numbers_of(source) == [1, 2]


@pytest.mark.parametrize(
    "content",
    [b"", b"just some text\nin two lines\n" * 20, b"\0" * 5000, b"\x1b[31mred\x1b[0m\n" * 50,
     b"\xff\xfb\x90\x00" * 500],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.nfo", "a"])
def test_a_file_that_is_no_video_is_said_so_for_good(
    tmp_path: Path, content: bytes, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    error = failure(path)

    assert (error.reason, error.permanent) == ("format", True)
    assert str(error) == f"{path}: is no video that FFmpeg can read"


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))

    error = failure(path)

    assert (error.reason, error.permanent) == ("format", True)


def test_a_film_that_is_cut_off_gives_what_it_has(make_video: MakeVideo) -> None:
    path = make_video("a.ts", codec="mpeg2video", frames=30)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with opened(path) as source:
        shots = shots_of(source)

    assert 5 < len(shots) < 30
    assert [number(shot) for shot in shots[:5]] == list(range(5))


def test_damage_in_the_middle_is_told_and_survived(make_video: MakeVideo) -> None:
    path = make_video("a.ts", frames=50, options={"g": "10", "bf": "0"})
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 3, len(content) // 2, 97):
        content[at] ^= 0x5A
    path.write_bytes(content)

    with opened(path) as source:
        shots = shots_of(source)

    assert any(shot.corrupt or shot.lost for shot in shots)
    assert number(shots[-1]) == 49


def test_a_file_that_went_away_is_not_found(make_video: MakeVideo) -> None:
    path = make_video()
    source = open_source(str(path), FAST)
    path.unlink()

    with pytest.raises(SourceError) as caught:
        source.open()

    assert (caught.value.reason, caught.value.permanent) == ("not_found", True)


def test_a_file_that_may_not_be_read_is_said_so(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video()
    # Root, as whom tests run in containers, may read every file.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert failure(path).reason == "io"


def test_waiting_for_the_next_frame_is_interrupted_at_once(make_video: MakeVideo) -> None:
    with opened(make_video(frames=3, fps=Fraction(1, 60)), SourceOptions()) as source:
        source.read()
        timer = threading.Timer(0.1, source.interrupt)
        timer.start()
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            source.read()
        timer.join()

    assert caught.value.reason == "interrupted"
    assert time.monotonic() - start < 30
