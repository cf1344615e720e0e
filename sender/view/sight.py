"""Sight: what viewers see of a camera, as long as nobody has encoded it for them."""

from __future__ import annotations

from dataclasses import dataclass

from sender.picture import JpegPicture, Picture
from shared import codec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """A picture of a camera; see Shown in `shared.view.renditions`."""

    camera: str
    epoch: str
    #: The number that it is posted under; None where it is not, for --fps or the receiver's wish.
    seq: int | None
    captured_at: float
    arrived: float
    picture: Picture
    #: The JPEG quality for who wishes none.
    quality: int

    @property
    def width(self) -> int:
        return self.picture.width

    @property
    def height(self) -> int:
        return self.picture.height

    @property
    def jpeg(self) -> bytes | None:
        """The camera's own bytes where it gives JPEGs."""
        return self.picture.data if isinstance(self.picture, JpegPicture) else None


def draw(sight: Sight, width: int, height: int, quality: int | None) -> bytes:
    """Return it as a JPEG of that size; raise FrameError when it does not decode. Any thread."""
    picture, size = sight.picture, (width, height)
    if isinstance(picture, JpegPicture) and quality is not None:
        return codec.encode(picture.to_pixels(size), quality)
    return picture.to_jpeg(quality or sight.quality, size)
