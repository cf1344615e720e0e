"""Picture: what a source captured. It becomes a JPEG only when somebody takes it."""

from __future__ import annotations

import threading
from typing import Literal, Protocol, get_args

import av
import cv2
import numpy as np

from sender.planes import to_planes
from shared import codec, jpeg
from shared.codec import Image

Size = tuple[int, int]
#: What is sent: a JPEG, or pixels as they are.
Form = Literal["jpeg", "rgb", "gray"]
FORMS: tuple[Form, ...] = get_args(Form)


class Picture(Protocol):
    """A captured picture that nobody has paid for yet. Any thread, several at once."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def held_bytes(self) -> int:
        """The memory that it takes, near enough."""
        ...

    def to_jpeg(self, quality: int, size: Size | None = None) -> bytes:
        """Return it as a JPEG, scaled to `size` (width, height) or as it is.

        Raise FrameError when its bytes turn out not to decode.
        """
        ...

    def to_pixels(self, size: Size) -> Image:
        """Return it as BGR of `size` (width, height); raise FrameError as `to_jpeg` does."""
        ...


class JpegPicture:
    """A camera's own JPEG: without another size its bytes pass through untouched."""

    def __init__(self, data: bytes, *, width: int, height: int) -> None:
        #: The JPEG itself.
        self.data = data
        self.width = width
        self.height = height
        self.held_bytes = len(data)

    @classmethod
    def read(cls, data: bytes) -> JpegPicture:
        """Wrap `data`, without what may follow its end marker; raise FrameError for no JPEG."""
        header = jpeg.read_header(data)
        if header.end < len(data):
            data = data[: header.end]
        return cls(data, width=header.width, height=header.height)

    def to_jpeg(self, quality: int, size: Size | None = None) -> bytes:
        """See Picture. `quality` counts only where the picture is scaled."""
        if size is None or size == (self.width, self.height):
            return self.data
        return codec.encode(self.to_pixels(size), quality)

    def to_pixels(self, size: Size) -> Image:
        """See Picture."""
        factor = 8
        while factor > 1 and (self.width < size[0] * factor or self.height < size[1] * factor):
            factor //= 2
        return _resize(codec.decode_reduced(self.data, factor), size)


class ImagePicture:
    """Pixels: height × width × 3 BGR, uint8."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.height, self.width = image.shape[:2]
        self.held_bytes = image.nbytes

    def to_jpeg(self, quality: int, size: Size | None = None) -> bytes:
        """See Picture."""
        return codec.encode(self.to_pixels(size or (self.width, self.height)), quality)

    def to_pixels(self, size: Size) -> Image:
        """See Picture."""
        return _resize(self._image, size)


class VideoPicture:
    """A frame as a video decoder gave it: not yet pixels that anybody could look at."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        #: PyAV scales a frame with some of its facts changed for so long.
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        return self._frame.width

    @property
    def height(self) -> int:
        return self._frame.height

    @property
    def held_bytes(self) -> int:
        """See Picture. Two bytes a pixel: 4:2:0 takes one and a half, 4:2:2 two."""
        return 2 * self._frame.width * self._frame.height

    def to_jpeg(self, quality: int, size: Size | None = None) -> bytes:
        """See Picture."""
        with self._lock:
            planes = to_planes(self._frame, size or (self.width, self.height))
        return codec.encode_planes(*planes, quality)

    def to_pixels(self, size: Size) -> Image:
        """See Picture."""
        width, height = size
        with self._lock:
            pixels = self._frame.to_ndarray(width=width, height=height, format="bgr24")
        return np.asarray(pixels)


def encode(picture: Picture, form: Form, *, quality: int, size: Size) -> tuple[bytes, str]:
    """Return the picture of `size` (width, height) in that form, and its media type.

    Raise FrameError when its bytes turn out not to decode.
    """
    if form == "jpeg":
        return picture.to_jpeg(quality, size), "image/jpeg"
    code = cv2.COLOR_BGR2RGB if form == "rgb" else cv2.COLOR_BGR2GRAY
    pixels = cv2.cvtColor(picture.to_pixels(size), code)
    return pixels.tobytes(), f"application/x-raw-{form}; width={size[0]}; height={size[1]}"


def _resize(image: Image, size: Size) -> Image:
    height, width = image.shape[:2]
    if size == (width, height):
        return image
    smaller = size[0] < width or size[1] < height
    scaling = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=scaling), np.uint8)
