"""Which depacketiser takes which codec's packets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sender.rtsp.h264 import make_h264
from sender.rtsp.h265 import make_h265
from sender.rtsp.jpeg import make_jpeg
from sender.rtsp.unit import Depacketiser, Unreadable

_MAKERS: dict[str, Callable[[Mapping[str, str]], Depacketiser]] = {
    "H264": make_h264,
    "H265": make_h265,
    "JPEG": make_jpeg,
}


def make_depacketiser(codec: str, parameters: Mapping[str, str]) -> Depacketiser:
    """Return a new depacketiser; raise Unreadable for a stream that we do not take apart.

    `codec` is the track's name in capitals (H264, H265, JPEG), `parameters` are of its `fmtp`, with
    names in small letters.
    """
    maker = _MAKERS.get(codec)
    if maker is None:
        raise Unreadable(f"video: expected H264, H265 or JPEG, got {codec[:20]!r}")
    return maker(parameters)
