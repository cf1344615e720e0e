"""Folders of images."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from sender.picture import ImagePicture, JpegPicture
from sender.source import EndOfSource, Shot, Source, SourceError, SourceOptions, open_source
from shared import codec, pattern

FAST = SourceOptions(pace="fast")


def jpeg(number: int) -> bytes:
    return codec.encode(pattern.draw(number, 160, 120), 80)


def number(shot: Shot) -> int:
    mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
    assert mark is not None
    return mark.number


def start(source: Source) -> None:
    source.open()
    source.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, drawn in (("frame2.jpg", 2), ("frame10.JPG", 10), ("frame1.jpeg", 1)):
        (tmp_path / name).write_bytes(jpeg(drawn))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def test_images_come_in_the_order_of_their_numbers(folder: Path) -> None:
    source = open_source(str(folder), FAST)
    source.open()

    assert (source.finite, source.length) == (True, 3)
    assert [number(source.read()) for _ in range(3)] == [1, 2, 10]
    with pytest.raises(EndOfSource):
        source.read()


def test_jpegs_are_passed_on_untouched_and_others_are_decoded(folder: Path) -> None:
    cv2.imwrite(str(folder / "frame3.png"), pattern.draw(3, 160, 120))
    source = open_source(str(folder), FAST)
    source.open()
    shots = [source.read() for _ in range(4)]

    assert isinstance(shots[0].picture, JpegPicture)
    assert shots[0].picture.to_jpeg(10) == (folder / "frame1.jpeg").read_bytes()
    assert isinstance(shots[2].picture, ImagePicture)
    assert [number(shot) for shot in shots] == [1, 2, 3, 10]


def test_a_loop_sees_what_was_added(folder: Path) -> None:
    source = open_source(str(folder), SourceOptions(pace="fast", loop=True))
    source.open()
    first = [number(source.read()) for _ in range(3)]
    (folder / "frame4.jpg").write_bytes(jpeg(4))

    assert (source.finite, source.length) == (False, None)
    assert first == [1, 2, 10]
    assert [number(source.read()) for _ in range(5)] == [1, 2, 4, 10, 1]


def test_images_come_at_the_rate_that_is_asked_for(folder: Path) -> None:
    source = open_source(str(folder), SourceOptions(fps=20))
    source.open()
    shots = [source.read() for _ in range(3)]

    # Later where the machine is busy; `test_pace` has the times to the millisecond.
    assert shots[2].captured - shots[0].captured > 2 / 20 - 0.04


def test_a_file_that_only_claims_to_be_an_image_is_counted(folder: Path) -> None:
    (folder / "frame0.jpg").write_bytes(b"no image")
    (folder / "frame3.jpg").write_bytes(jpeg(3)[:-200])
    source = open_source(str(folder), FAST)
    source.open()
    shots = [source.read() for _ in range(3)]

    assert [(number(shot), shot.lost) for shot in shots] == [(1, 1), (2, 0), (10, 1)]


def test_a_single_image_is_a_folder_of_one(folder: Path) -> None:
    source = open_source(str(folder / "frame2.jpg"), SourceOptions(pace="fast", loop=True))
    source.open()

    assert [number(source.read()) for _ in range(3)] == [2, 2, 2]


@pytest.mark.parametrize("content", [None, b"no image"])
@pytest.mark.parametrize("loop", [False, True])
def test_a_folder_without_images_is_said_so(
    tmp_path: Path, content: bytes | None, loop: bool
) -> None:
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    source = open_source(str(tmp_path), SourceOptions(pace="fast", loop=loop))

    with pytest.raises(SourceError) as caught:
        start(source)

    assert caught.value.permanent
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_went_away_is_said_so(folder: Path) -> None:
    source = open_source(str(folder), FAST)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    with pytest.raises(SourceError) as caught:
        source.open()

    assert caught.value.reason == "not_found"
