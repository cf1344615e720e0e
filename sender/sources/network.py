"""Video that comes without a session: udp://, rtp://, srt://, tcp://, rtmp://."""

from __future__ import annotations

from sender.redact import redact
from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.demuxer import Demuxer
from sender.sources.interrupt import Interrupt


class NetworkSource:
    """A Source that reads whatever FFmpeg reads from such a URL, usually MPEG-TS."""

    finite = False
    length: int | None = None

    def __init__(self, url: str, options: SourceOptions) -> None:
        self._url = url
        self._name = redact(url)
        self._options = options
        self._interrupt = Interrupt()
        self._demuxer = Demuxer(
            self._name,
            self._interrupt,
            open_timeout=options.open_timeout,
            read_timeout=options.read_timeout,
        )

    def open(self) -> None:
        # FFmpeg would watch for half a second longer, to guess a frame rate that nobody asks for.
        self._demuxer.open(self._url, {"fpsprobesize": "0"})

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
