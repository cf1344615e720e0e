"""Video: the frames as the hook left them, as Motion JPEG in Matroska files."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from receiver.result import Result
from shared import codec
from shared.errors import FrameError, FramepostError

_MILLISECOND = Fraction(1, 1000)


class VideoError(FramepostError):
    """Raised with one sentence when a video cannot be written."""


class Video:
    """One file for each camera; with several cameras each file's name has its camera's in it.

    A film has one size: that of its first picture, to which others are scaled.
    """

    def __init__(self, path: Path, cameras: Sequence[str], *, quality: int) -> None:
        self._quality = quality
        self._paths = {
            camera: path if len(cameras) == 1 else path.with_stem(f"{path.stem}-{camera}")
            for camera in cameras
        }
        self._reels: dict[str, _Reel] = {}

    def add(self, result: Result, at: float) -> None:
        """Write the result's picture, to be shown `at` seconds; raise VideoError."""
        camera = result.frame.camera
        path = self._paths[camera]
        try:
            if camera not in self._reels:
                self._reels[camera] = _Reel(path, result.picture.width, result.picture.height, at)
            self._reels[camera].add(result, at, self._quality)
        except (av.error.FFmpegError, OSError) as exc:
            raise VideoError(f"{path}: cannot be written ({exc.strerror})") from None

    def close(self) -> None:
        """Finish the files; raise VideoError."""
        for camera, reel in self._reels.items():
            try:
                reel.container.close()
            except (av.error.FFmpegError, OSError) as exc:
                raise VideoError(
                    f"{self._paths[camera]}: cannot be written ({exc.strerror})"
                ) from None


class _Reel:
    """A film that is being written."""

    def __init__(self, path: Path, width: int, height: int, zero: float) -> None:
        self.container: OutputContainer = av.open(str(path), "w", format="matroska")
        self._stream: VideoStream = self.container.add_stream("mjpeg", rate=25)
        self._stream.width, self._stream.height = self._size = (width, height)
        self._stream.pix_fmt = "yuvj420p"
        self._stream.time_base = _MILLISECOND
        self._zero = zero
        self._last = -1

    def add(self, result: Result, at: float, quality: int) -> None:
        picture = result.picture
        data = picture.data
        if (picture.width, picture.height) != self._size:
            try:
                image = cv2.resize(codec.decode(data), self._size, interpolation=cv2.INTER_AREA)
            except FrameError:
                return  # a damaged frame, which the hook could not decode either
            data = codec.encode(np.asarray(image, np.uint8), quality)
        packet = av.Packet(data)
        packet.stream = self._stream
        packet.time_base = _MILLISECOND
        # No two pictures at the same time.
        self._last = max(self._last + 1, round((at - self._zero) * 1000))
        packet.pts = packet.dts = self._last
        packet.is_keyframe = True
        self.container.mux(packet)
