"""Pixels to JPEG and back (libjpeg-turbo through simplejpeg). The only file that uses a JPEG codec.

Images are BGR: ndarray, height × width × 3, uint8. Every function may be called from any thread
and releases the interpreter's lock while it works.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import simplejpeg

from shared.errors import FrameError

Image = npt.NDArray[np.uint8]


def encode(image: Image, quality: int) -> bytes:
    """Return `image` (height × width × 3 BGR, or height × width grey, uint8) as a JPEG."""
    if image.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(image[:, :, None], quality, colorspace="GRAY"))
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(image), quality, colorspace="BGR", colorsubsampling="420"
        )
    )


def encode_planes(y: Image, u: Image, v: Image, quality: int) -> bytes:
    """Return full-range BT.601 planes as a JPEG; chroma of any JPEG subsampling, uint8."""
    return bytes(simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality))


def decode(jpeg: bytes) -> Image:
    """Return the picture as BGR; raise FrameError (422) when it does not decode."""
    return decode_reduced(jpeg, 1)


def decode_reduced(jpeg: bytes, factor: int) -> Image:
    """Return the picture at 1/`factor` (1, 2, 4 or 8) of its size, far cheaper than in full.

    Sides are rounded up. Raise FrameError (422) when the picture does not decode.
    """
    if factor not in (1, 2, 4, 8):
        raise ValueError(f"factor: expected 1, 2, 4 or 8, got {factor!r}")
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
        image: Image = simplejpeg.decode_jpeg(
            jpeg,
            colorspace="BGR",
            min_height=-(-height // factor) if factor > 1 else 0,
            min_width=-(-width // factor) if factor > 1 else 0,
        )
    except ValueError as exc:
        raise FrameError(
            f"image: the JPEG does not decode ({exc})", status=422, reason="corrupt"
        ) from exc
    return image
