"""What every source of frames promises, and what it raises.

* FramepostError
  x SourceError    the camera, the file or the way to it; retrying may help
  x EndOfSource    a finite source gave its last frame
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from sender.picture import Picture
from sender.sources.events import Observe
from shared.errors import FramepostError
from shared.redact import redact

Reason = Literal[
    "refused",  # nobody listens there, or the network does not lead there
    "timeout",
    "auth",
    "not_found",
    "dns",
    "ended",  # the other side closed the stream
    "format",  # it sends what we do not read
    "io",
    "interrupted",  # by `interrupt`
]
REASONS: tuple[Reason, ...] = get_args(Reason)


class SourceError(FramepostError):
    """Raised when a source gives no frames; passwords in `message` are hidden.

    `reason` is one of REASONS, fit for a metric's label. `permanent` says that trying again cannot
    help.
    """

    def __init__(self, message: str, *, reason: Reason, permanent: bool = False) -> None:
        super().__init__(redact(message))
        self.reason: Reason = reason
        self.permanent = permanent


class EndOfSource(FramepostError):
    """Raised when a finite source gave its last frame."""


@dataclass(frozen=True, slots=True)
class Place:
    """A frame's epoch and number, where its source says them."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture, fresh from its source."""

    picture: Picture
    #: Monotonic seconds: when the last of the picture's bytes had left the network, file or device;
    #: or when the camera took it, where it says so in a way that can be true.
    captured: float
    #: The decoder says that parts of it are wrong, or the JPEG's structure is.
    corrupt: bool = False
    #: Pictures since the shot before that could not be read at all.
    lost: int = 0
    #: None: the reader numbers it.
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """How to read a source. Each kind takes what concerns it; times are seconds."""

    #: RTSP: how the camera sends its packets.
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    #: RTSP: who reads it; `auto` is `direct`, and FFmpeg for what that does not know.
    rtsp_reader: Literal["auto", "direct", "ffmpeg"] = "auto"
    #: RTSP, read directly: whose time a picture has, the camera's (RTCP) or that of its arrival.
    capture_time: Literal["camera", "arrival"] = "camera"
    open_timeout: float = 5.0
    read_timeout: float = 5.0
    #: Files and folders: as fast as they are meant to be seen, or as fast as they are read.
    pace: Literal["source", "fast"] = "source"
    #: Files and folders: begin again at the end.
    loop: bool = False
    #: Test pattern, folder, polled snapshot, device; None takes the kind's own rate.
    fps: float | None = None
    #: Test pattern and device, (width, height); None takes the kind's own size.
    size: tuple[int, int] | None = None
    #: Is told of what is met on the way, where there is something to tell (network and files).
    observe: Observe | None = None


class Source(Protocol):
    """Where frames come from. One thread uses it; only `interrupt` may be called from others.

    A source holds no frames back: the next is taken from the network only when `read` asks for it,
    so whoever wants the newest must read all the time. After a SourceError: `close`, and `open`
    again for another try.
    """

    #: It ends by itself: a file or a folder, once.
    finite: bool
    #: Frames until the end, when known; it may be known only after `open`.
    length: int | None

    def open(self) -> None:
        """Connect, within about `open_timeout`; raise SourceError."""

    def read(self) -> Shot:
        """Return the next frame, within about `read_timeout`; raise SourceError or EndOfSource."""
        ...

    def close(self) -> None:
        """Put everything away; never raises, and may be called twice and after a failed open.

        It also forgets an `interrupt`: the source can be opened again.
        """

    def interrupt(self) -> None:
        """Make an `open` or `read` return soon, now running or next, with SourceError."""
