"""RTSP cameras: rtsp:// and rtsps://."""

from __future__ import annotations

from sender.sources.address import Address
from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.demuxer import Demuxer
from sender.sources.interrupt import Interrupt


class RtspSource:
    """A Source that reads H.264, H.265 or Motion JPEG over RTSP; JPEGs are left as they came."""

    finite = False
    length: int | None = None

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self._address = address
        self._options = options
        self._interrupt = Interrupt()
        self._demuxer = Demuxer(
            address.shown,
            self._interrupt,
            open_timeout=options.open_timeout,
            read_timeout=options.read_timeout,
        )

    def open(self) -> None:
        options = {
            "rtsp_transport": self._options.transport,
            "allowed_media_types": "video",
            # FFmpeg would look at a second of video first, and hand it out late. What it looks for
            # is told by the session or found by the decoder.
            "fpsprobesize": "0",
            "probesize": "32",
            # Microseconds; `stimeout`, which many examples name, is ignored by today's FFmpeg.
            # Twice the time, so that PyAV's own limit comes first: this one calls a silent server
            # "invalid data".
            "timeout": str(int(2e6 * max(self._options.open_timeout, self._options.read_timeout))),
            # A key frame comes in one burst; the system's usual buffer holds less.
            "buffer_size": str(2 << 20),
        }
        self._demuxer.open(self._address.full, options, host=self._address.host)

    def read(self) -> Shot:
        timed = self._demuxer.read()
        if timed is None:
            raise SourceError(f"{self._address.shown}: the camera ended the stream", reason="ended")
        return timed.shot

    def close(self) -> None:
        self._demuxer.close()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()
