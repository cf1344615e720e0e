"""Video over the network, as FFmpeg reads it: udp://, rtp://, srt://, tcp://, rtmp://."""

from __future__ import annotations

from collections.abc import Mapping

from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.demuxer import Demuxer
from sender.sources.interrupt import Interrupt
from shared.redact import redact

#: FFmpeg would watch for half a second longer, to guess a frame rate that nobody asks for.
UNWATCHED = {"fpsprobesize": "0"}


class NetworkSource:
    """A Source that reads whatever FFmpeg reads from such a URL, usually MPEG-TS."""

    finite = False
    length: int | None = None

    def __init__(
        self,
        url: str,
        options: SourceOptions,
        *,
        name: str | None = None,
        host: str | None = None,
        ffmpeg: Mapping[str, str] = UNWATCHED,
    ) -> None:
        """`name` is the URL as people may see it, `host` what must be known before it is opened."""
        self._url = url
        self._name = name or redact(url)
        self._host = host
        self._ffmpeg = ffmpeg
        self._interrupt = Interrupt()
        self._demuxer = Demuxer(
            self._name,
            self._interrupt,
            open_timeout=options.open_timeout,
            read_timeout=options.read_timeout,
            observe=options.observe,
        )

    def open(self) -> None:
        self._demuxer.open(self._url, self._ffmpeg, host=self._host)

    def read(self) -> Shot:
        timed = self._demuxer.read()
        if timed is None:
            raise SourceError(f"{self._name}: the stream ended", reason="ended")
        return timed.shot

    def close(self) -> None:
        self._demuxer.close()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()
