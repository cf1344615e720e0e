"""Frame: one picture as a hook sees it; decoded when, and as far as, the hook looks."""

from __future__ import annotations

import time

import cv2
import numpy as np

from receiver import png, raw
from receiver.region import SharedFrame
from shared import codec
from shared.codec import Image
from shared.errors import FrameError
from shared.frame import EncodedFrame

_JPEG = "image/jpeg"
_PNG = "image/png"
#: Quality of the JPEG that is made of a frame that came as something else.
_QUALITY = 90
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class Frame:
    """A camera's picture and the facts it came with. For one thread: the one that runs the hook.

    `decode_seconds` is what decoding (and transcoding) has cost so far.
    """

    def __init__(self, encoded: EncodedFrame) -> None:
        self._encoded = encoded
        self._image: Image | None = None
        self._jpeg: bytes | None = encoded.data if encoded.media_type == _JPEG else None
        self.decode_seconds = 0.0

    @property
    def camera(self) -> str:
        return self._encoded.camera

    @property
    def epoch(self) -> str:
        """Opaque; another one after each start of the camera's stream."""
        return self._encoded.epoch

    @property
    def seq(self) -> int:
        """Counts captured frames within the epoch; a jump is frames that nobody took."""
        return self._encoded.seq

    @property
    def redelivered(self) -> bool:
        """Whether a hook may have had this very frame before, in a receiver that was killed."""
        return self._encoded.redelivered

    @property
    def captured_at(self) -> float:
        """Unix seconds, by the sender's clock."""
        return self._encoded.captured_at

    @property
    def age(self) -> float:
        """Return the seconds since capture, never negative.

        Of a sender that reports its exchanges (`X-Last-Exchange`) they are right to half a round
        trip, whatever its clock says; else as right as both machines' clocks.
        """
        return self._encoded.age()

    @property
    def traceparent(self) -> str | None:
        """Its place in a trace (W3C Trace Context), for spans of the hook's own; None without."""
        return self._encoded.trace

    @property
    def width(self) -> int:
        return self._encoded.width

    @property
    def height(self) -> int:
        return self._encoded.height

    @property
    def image(self) -> Image:
        """The picture, height × width × 3 BGR uint8; raise FrameError when it does not decode.

        Decoded on first use and kept. It is the hook's own: drawing in it harms nobody.
        """
        if self._image is None:
            self._image = self._decode(1)
        return self._image

    @property
    def jpeg(self) -> bytes:
        """The picture as it came, free of cost; any other format is made a JPEG on first use."""
        if self._jpeg is None:
            # Decoded anew: the hook may have drawn in `image`.
            image = self._decode(1)
            started = time.perf_counter()
            self._jpeg = codec.encode(image, _QUALITY)
            self.decode_seconds += time.perf_counter() - started
        return self._jpeg

    def reduced(self, factor: int) -> Image:
        """Return the picture at 1/2, 1/4 or 1/8 of its size, far cheaper than `image`.

        Raise ValueError for another factor, FrameError when the picture does not decode.
        """
        if factor not in _REDUCED:
            raise ValueError(f"factor: expected 1, 2, 4 or 8, got {factor!r}")
        return self._decode(factor)

    def __repr__(self) -> str:
        size = f"{self.width}x{self.height}"
        return f"<Frame {self.camera} {self.epoch}/{self.seq} {size}>"

    def _decode(self, factor: int) -> Image:
        started = time.perf_counter()
        try:
            if self._encoded.media_type == _JPEG:
                return codec.decode_reduced(self._encoded.data, factor)
            if raw.is_raw(self._encoded.media_type):
                return self._from_pixels(factor)
            return self._decode_other(_REDUCED[factor])
        finally:
            self.decode_seconds += time.perf_counter() - started

    def _from_pixels(self, factor: int) -> Image:
        encoded = self._encoded
        data = encoded.region.map() if isinstance(encoded, SharedFrame) else encoded.data
        layout = raw.layout_of(encoded)
        layout.check(len(data))
        image = raw.to_bgr(data, layout)
        if factor > 1:
            size = -(-self.width // factor), -(-self.height // factor)
            return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return image if image.flags.writeable else image.copy()

    def _decode_other(self, mode: int) -> Image:
        if self._encoded.media_type == _PNG:
            png.check_pixels(self._encoded.data)
        data = np.frombuffer(self._encoded.data, np.uint8)
        try:
            # A JPEG's orientation tag is ignored too: all cameras' pictures lie as they came.
            image = cv2.imdecode(data, mode | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error as exc:
            raise self._broken(exc.err) from exc
        if image is None:
            raise self._broken("OpenCV takes it for no picture")
        return np.asarray(image, np.uint8)

    def _broken(self, why: str) -> FrameError:
        kind = self._encoded.media_type
        return FrameError(
            f"image: the {kind} does not decode ({why})", status=422, reason="corrupt"
        )
