"""Cameras at this machine, against a hand-written driver."""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2
import numpy as np
import pytest

from sender.picture import ImagePicture, JpegPicture
from sender.source import SourceError, SourceOptions, open_source
from sender.sources.device import DeviceSource
from shared import codec, pattern

IMAGE = pattern.draw(5, 160, 120)
JPEG = codec.encode(IMAGE, 80)
MJPG = cv2.VideoWriter.fourcc(*"MJPG")
YUYV = cv2.VideoWriter.fourcc(*"YUYV")


class Driver:
    """A driver that gives `frames`, as raw JPEGs only when it was told to and can."""

    def __init__(self, frames: list[Any], *, mjpg: bool = True, here: bool = True) -> None:
        self.frames = list(frames)
        self.here = here
        self.released = 0
        self.settings: dict[int, float] = {}
        self._mjpg = mjpg

    def isOpened(self) -> bool:
        return self.here

    def get(self, propId: int, /) -> float:
        if propId == cv2.CAP_PROP_FOURCC:
            return MJPG if self._mjpg else YUYV
        return self.settings.get(propId, 0)

    def set(self, propId: int, value: float, /) -> bool:
        self.settings[propId] = value
        return True

    def read(self) -> tuple[bool, Any]:
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self) -> None:
        self.released += 1


def source_of(driver: Driver, **options: Any) -> DeviceSource:
    return DeviceSource(0, SourceOptions(**options), make_capture=lambda device: driver)


def test_a_webcam_s_jpegs_are_passed_on_without_decoding() -> None:
    padded = np.frombuffer(JPEG + b"\0" * 1000, np.uint8)[None]
    driver = Driver([padded])
    source = source_of(driver)
    source.open()

    picture = source.read().picture

    assert driver.settings[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert isinstance(picture, JpegPicture)
    assert picture.to_jpeg(10) == JPEG


def test_a_camera_without_motion_jpeg_gives_pixels() -> None:
    driver = Driver([IMAGE], mjpg=False)
    source = source_of(driver)
    source.open()

    picture = source.read().picture

    assert cv2.CAP_PROP_CONVERT_RGB not in driver.settings
    assert isinstance(picture, ImagePicture)
    assert (picture.width, picture.height) == (160, 120)


def test_wishes_are_passed_to_the_driver() -> None:
    driver = Driver([IMAGE])
    source_of(driver, size=(640, 480), fps=15.0).open()

    assert driver.settings[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert driver.settings[cv2.CAP_PROP_FRAME_HEIGHT] == 480
    assert driver.settings[cv2.CAP_PROP_FPS] == 15
    assert driver.settings[cv2.CAP_PROP_BUFFERSIZE] == 1


def test_a_broken_frame_is_counted_and_the_next_one_taken() -> None:
    driver = Driver(
        [np.frombuffer(JPEG[:500], np.uint8)[None], np.frombuffer(JPEG, np.uint8)[None]]
    )
    source = source_of(driver)
    source.open()

    assert source.read().lost == 1


def test_a_camera_that_was_unplugged_has_ended_and_is_let_go_of() -> None:
    driver = Driver([])
    source = source_of(driver)
    source.open()
    with pytest.raises(SourceError) as caught:
        source.read()
    source.close()
    source.close()

    assert caught.value.reason == "ended"
    assert driver.released == 1


def test_a_camera_that_is_not_there_is_said_so(capfd: pytest.CaptureFixture[str]) -> None:
    source = open_source("77", SourceOptions())
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()

    assert caught.value.reason == "not_found"
    assert not caught.value.permanent
    assert str(caught.value).startswith("device 77: ")
    assert capfd.readouterr() == ("", "")


def test_a_driver_that_hangs_is_given_up_and_what_it_opens_is_let_go_of() -> None:
    driver = Driver([IMAGE])
    released = threading.Event()
    hang = threading.Event()

    def make(device: int | str) -> Driver:
        hang.wait(60)
        return driver

    def release() -> None:
        released.set()

    driver.release = release  # type: ignore[method-assign]
    source = DeviceSource(0, SourceOptions(open_timeout=0.1), make_capture=make)
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        source.open()
    took = time.monotonic() - start
    hang.set()

    assert caught.value.reason == "timeout"
    assert took < 30
    assert released.wait(30)
