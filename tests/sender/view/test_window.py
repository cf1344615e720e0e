from __future__ import annotations

import time

import pytest

from sender.picture import ImagePicture, JpegPicture, Picture
from sender.view.sight import Sight, draw
from sender.view.window import Window, Windows
from shared import codec, jpeg, pattern


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sight(picture: Picture, *, quality: int = 80) -> Sight:
    return Sight(
        camera="cam1",
        epoch="e1",
        seq=1,
        captured_at=0.0,
        arrived=0.0,
        picture=picture,
        quality=quality,
    )


def camera_jpeg(quality: int = 95) -> JpegPicture:
    return JpegPicture.read(codec.encode(pattern.draw(7, 640, 360), quality))


def newest(window: Window) -> Sight:
    found = window.feed("raw")[1].peek()
    assert found is not None
    return found


def test_a_window_shows_the_newest_picture_with_its_facts() -> None:
    clock = Clock()
    window = Window("cam1", quality=70, clock=clock)
    first, second = ImagePicture(pattern.draw(1, 64, 48)), ImagePicture(pattern.draw(2, 64, 48))

    window.show(first, epoch="e1", seq=4, captured=99.0)
    before = time.time()
    window.show(second, epoch="e1", seq=None, captured=99.5)

    shown = newest(window)
    assert shown.picture is second
    assert (shown.camera, shown.epoch, shown.seq, shown.quality) == ("cam1", "e1", None, 70)
    assert (shown.width, shown.height, shown.arrived) == (64, 48, 100.0)
    assert shown.captured_at == pytest.approx(before - 0.5, abs=30)


def test_annotated_is_what_the_camera_sees_for_there_is_no_hook() -> None:
    window = Window("cam1")

    assert window.feed("annotated")[0] == "raw"
    assert window.feed("annotated")[1] is window.feed("raw")[1]


@pytest.mark.parametrize(
    ("interval", "seconds", "state"),
    [(0, 2, "live"), (0, 4, "stale"), (0, 61, "gone"), (10, 12, "live"), (10, 69, "stale")],
)
def test_a_camera_that_gives_no_pictures_is_stale_and_then_gone(
    interval: float, seconds: float, state: str
) -> None:
    clock = Clock()
    window = Window("cam1", interval=interval, clock=clock)
    window.show(ImagePicture(pattern.draw(1, 64, 48)), epoch="e", seq=0, captured=100.0)

    clock.now += seconds

    assert (window.age(), window.state()) == (seconds, state)


def test_windows_are_found_by_name_and_listed_as_they_were_given() -> None:
    yard, door = Window("yard"), Window("door")
    windows = Windows([yard, door])

    assert (windows.get("door"), windows.get("else")) == (door, None)
    assert windows.cameras() == [yard, door]


def test_a_camera_s_own_jpeg_is_passed_on_untouched() -> None:
    picture = camera_jpeg()

    assert sight(picture).jpeg is picture.data
    assert sight(ImagePicture(pattern.draw(1, 64, 48))).jpeg is None


def test_another_quality_of_a_camera_s_jpeg_is_another_jpeg() -> None:
    picture = camera_jpeg()

    coarse = draw(sight(picture), 640, 360, 20)

    assert len(coarse) < len(picture.data) / 2
    assert jpeg.read_header(coarse).width == 640
    mark = pattern.read(codec.decode(coarse))
    assert mark is not None
    assert mark.number == 7


@pytest.mark.parametrize("picture", [camera_jpeg(), ImagePicture(pattern.draw(7, 640, 360))])
def test_a_smaller_picture_has_the_camera_s_quality_where_none_is_wished(picture: Picture) -> None:
    fine = draw(sight(picture, quality=95), 320, 180, None)
    coarse = draw(sight(picture, quality=10), 320, 180, None)
    wished = draw(sight(picture, quality=95), 320, 180, 10)

    assert jpeg.read_header(fine).width == 320
    assert len(fine) > len(coarse) == len(wished)
