"""Raw pixels: pictures without a codec, for callers on the same host."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from shared.codec import Image
from shared.errors import FrameError
from shared.frame import EncodedFrame

_PREFIX = "application/x-raw-"
#: Bytes of two pixels, by layout.
_BYTES_OF_TWO = {"bgr": 6, "rgb": 6, "gray": 2, "i420": 3, "nv12": 3}
_PARAMETER = re.compile(r";\s*([a-z]+)\s*=\s*\"?([^\s;\"]*)\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """How pixels lie: rows without padding; i420 and nv12 with the chroma planes behind."""

    name: str
    width: int
    height: int

    @property
    def media_type(self) -> str:
        return _PREFIX + self.name

    @property
    def content_type(self) -> str:
        """What `read_layout` reads."""
        return f"{self.media_type}; width={self.width}; height={self.height}"

    @property
    def size(self) -> int:
        """Bytes of the whole picture."""
        return self.width * self.height * _BYTES_OF_TWO[self.name] // 2

    def check(self, length: int) -> None:
        """Raise FrameError (422) unless a picture has `length` bytes."""
        if length != self.size:
            raise FrameError(
                f"image: expected {self.size} bytes of {self.width}x{self.height} {self.name}, "
                f"got {length}",
                status=422,
                reason="length",
            )


def is_raw(media_type: str) -> bool:
    """Tell whether a Content-Type says raw pixels."""
    return media_type[: len(_PREFIX)].lower() == _PREFIX


def layout_of(frame: EncodedFrame) -> Layout:
    """Return the layout of a frame that was taken as raw pixels."""
    return Layout(frame.media_type.removeprefix(_PREFIX), frame.width, frame.height)


def read_layout(content_type: str) -> Layout:
    """Read `application/x-raw-bgr; width=1280; height=720`; raise FrameError (400, 415)."""
    name = content_type[len(_PREFIX) :].partition(";")[0].strip().lower()
    if name not in _BYTES_OF_TWO:
        raise FrameError(
            f"Content-Type: expected {_PREFIX}bgr, -rgb, -gray, -i420 or -nv12, "
            f"got {content_type[:80]!r}",
            status=415,
            reason="format",
        )
    given = {key.lower(): value for key, value in _PARAMETER.findall(content_type)}
    sides = [given.get("width", ""), given.get("height", "")]
    if not all(re.fullmatch("[0-9]{1,5}", side, re.ASCII) for side in sides):
        raise FrameError(
            f"Content-Type: expected {_PREFIX}{name}; width=PIXELS; height=PIXELS, "
            f"got {content_type[:80]!r}",
            status=400,
            reason="header",
        )
    layout = Layout(name, int(sides[0]), int(sides[1]))
    if name in ("i420", "nv12") and (layout.width % 2 or layout.height % 2):
        raise FrameError(
            f"Content-Type: expected an even width and height for {name}, "
            f"got {layout.width}x{layout.height}",
            status=400,
            reason="header",
        )
    return layout


def to_bgr(data: bytes | memoryview, layout: Layout) -> Image:
    """Return the picture, height × width × 3 BGR uint8.

    Of BGR it is `data` itself, without a copy, and as writable as that is.
    """
    flat = np.frombuffer(data, np.uint8)
    height, width = layout.height, layout.width
    if layout.name == "bgr":
        return flat.reshape(height, width, 3)
    if layout.name == "rgb":
        return _convert(flat.reshape(height, width, 3), cv2.COLOR_RGB2BGR)
    if layout.name == "gray":
        return _convert(flat.reshape(height, width), cv2.COLOR_GRAY2BGR)
    planes = flat.reshape(height * 3 // 2, width)
    code = cv2.COLOR_YUV2BGR_I420 if layout.name == "i420" else cv2.COLOR_YUV2BGR_NV12
    return _convert(planes, code)


def _convert(pixels: Image, code: int) -> Image:
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
