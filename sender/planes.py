"""Planes: a decoded video frame as what a JPEG is made of, full-range BT.601 Y, Cb and Cr.

Video is nearly always YCbCr already, of another range and often of another matrix (BT.709). Going
through RGB would cost a conversion there and another one back inside the encoder; two YCbCr spaces
differ only by weighted sums of the planes, at the size that the planes have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from shared.codec import Image

#: 8 bits in three planes, with a chroma subsampling that JPEG has too.
_PLANAR = {
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p",
}  # fmt: skip
_FULL_RANGE = 2
#: Kr and Kb by the code of the matrix: ITU-T H.273, table 4. What names none is taken as BT.601,
#: as FFmpeg and OpenCV take it.
_KR_KB = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_BT601 = (0.299, 0.114)
#: The luma's correction is small; in halves it loses nothing in 8 bits.
_GAIN = 2.0


def to_planes(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[Image, Image, Image]:
    """Return Y, Cb and Cr of `frame` scaled to `size` (width, height), uint8, perhaps padded rows.

    One thread at a time for each frame.
    """
    width, height = size
    smaller = width < frame.width or height < frame.height
    scaling = Interpolation.AREA if smaller else Interpolation.BICUBIC
    if not _is_planar(frame):
        frame = VideoReformatter().reformat(
            frame, width, height, "yuvj420p",
            dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG,
            interpolation=scaling, threads=1,
        )  # fmt: skip
        return _views(frame)
    if size != (frame.width, frame.height):
        frame = VideoReformatter().reformat(frame, width, height, interpolation=scaling, threads=1)
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    sums = _sums(*_KR_KB.get(frame.colorspace, _BT601), full)
    return _views(frame) if sums is None else sums.apply(*_views(frame))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weights of (first plane, second plane, constant) for each new plane."""

    cb: tuple[float, float, float]
    cr: tuple[float, float, float]
    #: Of Cb and Cr: what the luma changes with the colour, times _GAIN and around 128.
    shift: tuple[float, float, float] | None
    y: tuple[float, float, float]

    def apply(self, y: Image, cb: Image, cr: Image) -> tuple[Image, Image, Image]:
        other = y
        if self.shift is not None:
            other = _weighted(cb, cr, self.shift)
            if other.shape != y.shape:
                scaled = cv2.resize(other, y.shape[::-1], interpolation=cv2.INTER_LINEAR)
                other = np.asarray(scaled, np.uint8)
        return (
            _weighted(y, other, self.y),
            _weighted(cb, cr, self.cb),
            _weighted(cr, cb, self.cr),
        )


@lru_cache(maxsize=16)
def _sums(kr: float, kb: float, full: bool) -> _Sums | None:
    """Return the way from that matrix and range to full-range BT.601; None where there is none."""
    if full and (kr, kb) == _BT601:
        return None
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    black = 0.0 if full else 16.0
    kg = 1 - kr - kb
    to_kr, to_kb = _BT601
    to_kg = 1 - to_kr - to_kb
    # With R = Y + 2(1-Kr)Cr, B = Y + 2(1-Kb)Cb and G from both (H.273, 8.3), written as the new Y:
    y_cb = 2 * (1 - kb) * (to_kb - to_kg * kb / kg)
    y_cr = 2 * (1 - kr) * (to_kr - to_kg * kr / kg)
    # and the new Cb = (B - Y) / 2(1-Kb), Cr = (R - Y) / 2(1-Kr).
    cb_cb = (2 * (1 - kb) - y_cb) / (2 * (1 - to_kb))
    cb_cr = -y_cr / (2 * (1 - to_kb))
    cr_cr = (2 * (1 - kr) - y_cr) / (2 * (1 - to_kr))
    cr_cb = -y_cb / (2 * (1 - to_kr))
    cb = _centred(chroma * cb_cb, chroma * cb_cr)
    cr = _centred(chroma * cr_cr, chroma * cr_cb)
    if (kr, kb) == _BT601:
        return _Sums(cb, cr, None, (luma, 0.0, -black * luma))
    shift = _centred(_GAIN * chroma * y_cb, _GAIN * chroma * y_cr)
    return _Sums(cb, cr, shift, (luma, 1 / _GAIN, -black * luma - 128 / _GAIN))


def _centred(first: float, second: float) -> tuple[float, float, float]:
    return first, second, 128 * (1 - first - second)


def _weighted(first: Image, second: Image, by: tuple[float, float, float]) -> Image:
    return np.asarray(cv2.addWeighted(first, by[0], second, by[1], by[2]), np.uint8)


def _is_planar(frame: av.VideoFrame) -> bool:
    # A picture that is stored upside down has a negative line size.
    return frame.format.name in _PLANAR and all(p.line_size >= p.width for p in frame.planes)


def _views(frame: av.VideoFrame) -> tuple[Image, Image, Image]:
    y, cb, cr = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return y, cb, cr
