"""RTSP cameras: rtsp:// and rtsps://, read directly, or by FFmpeg where that does better."""

from __future__ import annotations

import logging

from sender.rtsp.session import Unusual
from sender.sources.address import Address
from sender.sources.contract import Shot, Source, SourceError, SourceOptions
from sender.sources.events import TakenOver
from sender.sources.rtsp_direct import DirectRtspSource
from sender.sources.rtsp_ffmpeg import FfmpegRtspSource

logger = logging.getLogger(__name__)


class RtspSource:
    """A Source with two readers: the direct one until it meets what it does not know.

    From then on it is FFmpeg's, which is a frame interval slower and has seen every camera there
    is; unless only the direct one is allowed.
    """

    finite = False
    length: int | None = None

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self._ffmpeg = FfmpegRtspSource(address, options)
        self._direct = DirectRtspSource(address, options)
        self._observe = options.observe
        self._may_change = options.rtsp_reader == "auto"
        self._reader: Source = self._ffmpeg if options.rtsp_reader == "ffmpeg" else self._direct

    def open(self) -> None:
        try:
            self._reader.open()
        except Unusual as exc:
            self._give_up(exc)
            self._reader.open()

    def read(self) -> Shot:
        try:
            return self._reader.read()
        except Unusual as exc:
            self._give_up(exc)
            raise SourceError(str(exc), reason="format") from None

    def close(self) -> None:
        self._direct.close()
        self._ffmpeg.close()

    def interrupt(self) -> None:
        # Both, for one may just be taking over from the other.
        self._ffmpeg.interrupt()
        self._direct.interrupt()

    def _give_up(self, why: Unusual) -> None:
        """Let FFmpeg do it from now on; raise SourceError when it may not."""
        if not self._may_change:
            raise SourceError(str(why), reason="format") from None
        logger.info("%s; FFmpeg reads it from now on", why)
        if self._observe is not None:
            self._observe(TakenOver(str(why)))
        self._direct.close()
        self._reader = self._ffmpeg
