"""Events: what a source meets on its way to pictures, for whoever wants to know a camera well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sender.rtsp.rtcp import SenderReport
from sender.rtsp.rtp import RtpPacket


@dataclass(frozen=True, slots=True)
class Connected:
    """Somebody listens there."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answered a request, with RTSP's or HTTP's status."""

    status: int
    #: What it calls itself; often empty.
    server: str = ""
    #: The ways to log in that a 401 offers, in lower case, such as "digest".
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """The video that is going to be read."""

    reader: Literal["direct", "ffmpeg", "http"]
    codec: str
    #: As FFmpeg names it; empty where the parameter sets have to tell.
    profile: str = ""
    #: H.264's and H.265's NAL units, where the server sends them beforehand.
    parameter_sets: tuple[bytes, ...] = ()
    #: As the server says; None where it does not.
    fps: float | None = None
    #: Of RTP's timestamps, in Hz; None without RTP.
    clock_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One encoded picture came, whole or damaged, and is going to be decoded."""

    size: int
    is_key: bool
    #: Monotonic seconds: when the last of it had been read.
    arrived: float
    #: RTP's; None without RTP.
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The direct RTSP reader gave up, and FFmpeg has a try."""

    why: str


Event = Connected | Answered | Offered | RtpPacket | SenderReport | Unit | TakenOver
#: Called on the thread that reads, or on one that connects for it. It must not block, nor raise.
Observe = Callable[[Event], None]
