"""Drawing: a frame as a JPEG of another size and quality."""

from __future__ import annotations

import cv2
import numpy as np

from receiver.frame import Frame
from shared import codec
from shared.frame import EncodedFrame
from shared.view.renditions import Rendition, Wish, making

_QUALITY = 80


def draw(frame: EncodedFrame, width: int, height: int, quality: int | None) -> bytes:
    """Return `frame` as a JPEG, never larger than it is; raise FrameError if it does not decode.

    Without a quality one that came as a JPEG stays as it is in its own size, and any other gets a
    usual one.
    """
    picture = Frame(frame)
    if (width, height) == (picture.width, picture.height):
        return picture.jpeg if quality is None else codec.encode(picture.image, quality)
    # The decoder can leave out detail that the smaller picture does not show.
    factor = max(n for n in (1, 2, 4, 8) if width * n <= picture.width)
    image = picture.reduced(factor)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return codec.encode(np.asarray(small, np.uint8), quality or _QUALITY)


def render_once(frame: EncodedFrame, wish: Wish) -> Rendition[EncodedFrame]:
    """Return `frame` as wished, for one viewer alone; raise FrameError when it does not decode."""
    width, height = wish.size(frame.width, frame.height)
    if (width, height) == (frame.width, frame.height) and wish.quality is None:
        return Rendition(frame, frame.data, width, height)
    with making:
        return Rendition(frame, draw(frame, width, height, wish.quality), width, height)
