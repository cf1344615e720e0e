"""PictureBound: what the codecs alone take of a core for a camera's frame."""

from __future__ import annotations

import time
from collections.abc import Sequence

from camera.encoder import open_encoder
from sender.rtsp.decoder import Decoder
from sender.rtsp.unit import AccessUnit
from shared import codec
from shared.codec import Image

_TURNS = 20


def picture_bound(images: Sequence[Image], *, fps: float, quality: int) -> float:
    """Return the microseconds of CPU to decode a frame of H.264, make it a JPEG and decode that."""
    height, width = images[0].shape[:2]
    encoder = open_encoder("h264", width, height, fps=fps, gop=len(images), bitrate=None)
    units = [
        AccessUnit(
            data=encoder.encode(image, key=n == 0).data,
            timestamp=n,
            is_key=n == 0,
            is_damaged=False,
            arrived=0.0,
        )
        for n, image in enumerate(images)
    ]
    decoder = Decoder("H264")
    pictures = 0
    started = time.process_time()
    for _ in range(_TURNS):
        for unit in units:
            for decoded in decoder.decode(unit):
                codec.decode(decoded.picture.to_jpeg(quality))
                pictures += 1
    return 1e6 * (time.process_time() - started) / pictures
