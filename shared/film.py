"""Film: a file of Motion JPEG, read picture by picture as its packets are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from shared.errors import RecordingError

#: How the names of films end that may hold Motion JPEG.
SUFFIXES = (".mkv", ".avi", ".mov")
_USUAL_FPS = 25.0


class Film:
    """An open film, for one thread; nothing is decoded, nothing read ahead."""

    def __init__(self, path: Path) -> None:
        """Open it; raise RecordingError for what is no film of Motion JPEG."""
        self._path = path
        self._container = _open(path)
        videos = self._container.streams.video
        codec = _codec_of(videos[0]) if videos else "no video"
        if codec != "mjpeg":
            self._container.close()
            raise RecordingError(
                f"{path}: expected Motion JPEG, as recordings have it, got {codec}"
            )

    @property
    def created(self) -> str:
        """When it was made, as the film says it: ISO 8601, or empty."""
        return self._container.metadata.get("creation_time", "")

    @property
    def was_closed(self) -> bool:
        """Whether the film says how long it is, which is written last."""
        return self._container.duration is not None

    def seek(self, seconds: float) -> None:
        """Go to about there, never behind it; in a film without an index to anywhere before."""
        with suppress(av.error.FFmpegError):
            self._container.seek(round(seconds * av.time_base))

    def pictures(self) -> Iterator[tuple[float, bytes]]:
        """Yield each picture's time in seconds and its bytes, until the end or what is torn.

        Where the film does not say the time, a picture comes one interval after that before.
        """
        stream = self._container.streams.video[0]
        interval = 1 / float(stream.average_rate or _USUAL_FPS)
        packets = self._container.demux(stream)
        at = -interval
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                return
            if packet is None:
                return
            if packet.size == 0:  # stands for the end
                continue
            moment = packet.pts if packet.pts is not None else packet.dts
            if moment is None or packet.time_base is None:
                at += interval
            else:
                at = float(moment * packet.time_base)
            yield at, bytes(packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._container.close()


def _codec_of(video: VideoStream) -> str:
    # PyAV has no context where FFmpeg knows no decoder, and does not say so in its types.
    context: VideoCodecContext | None = video.codec_context
    return context.name if context is not None else "a codec that FFmpeg does not know"


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise RecordingError(f"{path}: there is no such file")
    try:
        return av.open(str(path.resolve()), "r")
    except PermissionError:
        raise RecordingError(f"{path}: may not be read by this user") from None
    except (av.error.FFmpegError, OSError, ValueError):
        raise RecordingError(f"{path}: is no film that FFmpeg can read") from None
