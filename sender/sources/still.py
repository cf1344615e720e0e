"""Still: the bytes of one image, as a picture."""

from __future__ import annotations

import cv2
import numpy as np

from sender.picture import ImagePicture, JpegPicture, Picture
from shared import jpeg
from shared.errors import FrameError

#: What cameras and people have: JPEG, PNG, WebP, BMP, TIFF (both byte orders).
_KNOWN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM", b"II*\0", b"MM\0*")


def read_still(data: bytes) -> Picture:
    """Return the picture in `data`; a JPEG's bytes stay as they are.

    Raise FrameError for anything that is no image, or only a part of one.
    """
    if not data.startswith(_KNOWN):
        raise FrameError(
            "image: expected JPEG, PNG, WebP, BMP or TIFF", status=415, reason="format"
        )
    if data.startswith(b"\xff\xd8"):
        try:
            return JpegPicture.read(data)
        except FrameError as exc:
            if exc.status != 415:
                raise
            # A kind of JPEG that receivers do not take, such as one for print: decode it here.
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise FrameError("image: it does not decode", status=422, reason="corrupt")
    jpeg.check_size(image.shape[1], image.shape[0])
    return ImagePicture(np.asarray(image, np.uint8))
