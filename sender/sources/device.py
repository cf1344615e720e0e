"""Cameras at this machine: a device number, or /dev/video0; through OpenCV."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np

from sender.picture import ImagePicture, JpegPicture, Picture
from sender.sources.attempt import Attempt, Overdue
from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.interrupt import Interrupt
from shared.codec import Image
from shared.errors import FrameError

_MJPG = cv2.VideoWriter.fourcc(*"MJPG")


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...

    def get(self, propId: int, /) -> float: ...

    def set(self, propId: int, value: float, /) -> bool: ...

    def read(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


class DeviceSource:
    """A Source that reads a camera of this machine.

    It asks the camera for Motion JPEG: USB 2 carries no HD in raw pixels, and where the driver
    hands the JPEGs over (V4L2) they are left as they came.
    """

    finite = False
    length: int | None = None

    def __init__(
        self,
        device: int | str,
        options: SourceOptions,
        *,
        make_capture: Callable[[int | str], Capture] | None = None,
    ) -> None:
        self._device = device
        self._name = f"device {device}"
        self._options = options
        self._make_capture = make_capture or _open
        self._interrupt = Interrupt()
        self._capture: Capture | None = None

    def open(self) -> None:
        attempt = Attempt(
            self._prepare, discard=lambda late: late.release(), name=f"opening {self._name}"
        )
        try:
            capture = attempt.run(self._options.open_timeout, self._interrupt)
        except Overdue:
            raise SourceError(f"{self._name}: does not open in time", reason="timeout") from None
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"{self._name}: there is no such camera, or another program uses it",
                reason="not_found",
            )
        self._capture = capture

    def read(self) -> Shot:
        assert self._capture is not None, "read before open"
        lost = 0
        give_up = time.monotonic() + self._options.read_timeout
        while True:
            self._interrupt.check()
            taken, image = self._capture.read()
            read_at = time.monotonic()
            if not taken:
                raise SourceError(f"{self._name}: gives no more frames", reason="ended")
            picture = _as_picture(image)
            if picture is not None:
                return Shot(picture, read_at, lost=lost)
            lost += 1
            if time.monotonic() > give_up:
                raise SourceError(f"{self._name}: sends no pictures", reason="format")

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()

    def _prepare(self) -> Capture:
        capture = self._make_capture(self._device)
        if not capture.isOpened():
            return capture
        capture.set(cv2.CAP_PROP_FOURCC, _MJPG)
        if self._options.size is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._options.size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._options.size[1])
        if self._options.fps is not None:
            capture.set(cv2.CAP_PROP_FPS, self._options.fps)
        # The oldest of four frames would come first.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG:
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        return capture


def _as_picture(image: Image) -> Picture | None:
    if image.ndim == 3 and image.shape[2] == 3:
        return ImagePicture(image)
    try:
        return JpegPicture.read(np.ascontiguousarray(image).tobytes())
    except FrameError:
        return None


def _open(device: int | str) -> Capture:
    # It prints what it tried; the SourceError says what came of it.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
    return cv2.VideoCapture(device, backend)
