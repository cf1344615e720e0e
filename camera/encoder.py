"""Encoders: one picture in, its bytes out at once, with all that a decoder needs to start."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from camera.packets import CLOCK
from shared import codec
from shared.codec import Image

#: RFC 2435 counts a picture's sides in blocks of 8 pixels, in one byte.
_MAX_JPEG_SIDE = 255 * 8
_MAX_SIDE = 8192

_LIBRARIES = {
    "h264": ("libx264", "x264-params", "repeat-headers=1:scenecut=0"),
    # x265 writes to stderr what it is asked to, and takes a thread for every core.
    "h265": (
        "libx265",
        "x265-params",
        "repeat-headers=1:scenecut=0:log-level=error:pools=none:frame-threads=1",
    ),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture; a decoder can start at one that is `key`."""

    data: bytes
    key: bool


class Encoder(Protocol):
    """Encodes BGR pictures of one size. Used by one thread at a time."""

    #: Parameter sets in Annex B form; empty where the codec has none.
    parameters: bytes

    def encode(self, image: Image, *, key: bool) -> Picture:
        """Return `image` encoded, as a key frame when `key` (or when it is time for one)."""
        ...


class VideoEncoder:
    """H.264 or H.265 without delay: no B-frames, no look-ahead; each key frame can start."""

    def __init__(
        self, name: str, width: int, height: int, *, fps: float, gop: int, bitrate: int | None
    ) -> None:
        library, parameters_option, parameters = _LIBRARIES[name]
        context = av.CodecContext.create(library, "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, CLOCK)
        context.framerate = Fraction(fps).limit_denominator(1001)
        context.gop_size = gop
        context.max_b_frames = 0
        context.thread_count = 1
        context.flags |= Flags.global_header
        options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
        if bitrate is None:
            options["crf"] = "23"
        else:
            context.bit_rate = bitrate
            parameters += f":vbv-maxrate={bitrate // 1000}:vbv-bufsize={bitrate // 1000}"
        context.options = {**options, parameters_option: parameters}
        context.open()
        self._context = context
        self._step = round(CLOCK / fps)
        self._time = 0
        self.parameters = bytes(context.extradata or b"")

    def encode(self, image: Image, *, key: bool) -> Picture:
        planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).view(np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._time
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._time += self._step
        (packet,) = self._context.encode(frame)
        return Picture(bytes(packet), packet.is_keyframe)


class JpegEncoder:
    """JPEG of the form that RFC 2435 carries: 4:2:0, baseline, standard Huffman tables."""

    parameters = b""

    def __init__(self, *, quality: int = 80) -> None:
        self._quality = quality

    def encode(self, image: Image, *, key: bool) -> Picture:
        return Picture(codec.encode(image, self._quality), True)


def open_encoder(
    name: str, width: int, height: int, *, fps: float, gop: int, bitrate: int | None
) -> Encoder:
    """Return an encoder for `name` (h264, h265 or mjpeg); `bitrate` in bits a second."""
    if name == "mjpeg":
        return JpegEncoder()
    return VideoEncoder(name, width, height, fps=fps, gop=gop, bitrate=bitrate)


def check_size(name: str, width: int, height: int) -> None:
    """Raise ValueError unless codec `name` carries pictures of this size."""
    if name == "mjpeg" and not (
        8 <= width <= _MAX_JPEG_SIDE
        and 8 <= height <= _MAX_JPEG_SIDE
        and width % 8 == height % 8 == 0
    ):
        raise ValueError(
            f"size: expected sides from 8 to {_MAX_JPEG_SIDE} in steps of 8, as RTP carries "
            f"MJPEG, got {width}x{height}"
        )
    if not (16 <= width <= _MAX_SIDE and 16 <= height <= _MAX_SIDE) or width % 2 or height % 2:
        raise ValueError(
            f"size: expected even sides from 16 to {_MAX_SIDE} pixels, got {width}x{height}"
        )
