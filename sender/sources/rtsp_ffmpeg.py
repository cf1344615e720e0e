"""RTSP as FFmpeg reads it, one frame late: its parser waits for the next picture's first byte."""

from __future__ import annotations

from sender.sources.address import Address
from sender.sources.contract import SourceOptions
from sender.sources.network import UNWATCHED, NetworkSource


class FfmpegRtspSource(NetworkSource):
    """A Source that reads H.264, H.265 or Motion JPEG over RTSP; JPEGs are left as they came."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        ffmpeg = {
            **UNWATCHED,
            "rtsp_transport": options.rtsp_transport,
            "allowed_media_types": "video",
            # FFmpeg would look at a second of video first, and hand it out late. What it looks for
            # is told by the session or found by the decoder.
            "probesize": "32",
            # Microseconds; `stimeout`, which many examples name, is ignored by today's FFmpeg.
            # Twice the time, so that PyAV's own limit comes first: this one calls a silent server
            # "invalid data".
            "timeout": str(int(2e6 * max(options.open_timeout, options.read_timeout))),
            # A key frame comes in one burst; the system's usual buffer holds less.
            "buffer_size": str(2 << 20),
        }
        super().__init__(
            address.full, options, name=address.shown, host=address.host, ffmpeg=ffmpeg
        )
