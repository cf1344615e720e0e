"""Access units: one picture's bytes, and what every depacketiser promises.

* FramepostError
  x Unreadable    the packets are of a form that we do not take apart
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sender.rtsp.rtp import RtpPacket
from shared.errors import FramepostError

#: A key frame of an 8K camera has about 2 MiB.
MAX_UNIT_BYTES = 16 * 1024 * 1024


class Unreadable(FramepostError):
    """Raised when a stream is packed in a way that we do not take apart (interleaved, MTAP ...)."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """All of one picture's bytes, ready for a decoder."""

    #: H.264 and H.265: Annex B. JPEG: a whole JPEG for everybody. Empty when so much is missing, or
    #: so much came, that nothing is left to decode: a picture is lost.
    data: bytes
    #: RTP's: 32 bits, in units of the track's clock rate.
    timestamp: int
    #: It decodes without the pictures before it.
    is_key: bool
    #: Packets of it are missing, or of what it builds upon.
    is_damaged: bool
    #: Monotonic seconds: when its last packet had been read.
    arrived: float


class Depacketiser(Protocol):
    """Takes the packets of one track in order, gives access units. One thread uses it."""

    def put(self, packet: RtpPacket, *, gap: bool) -> list[AccessUnit]:
        """Take one packet; return the units that it ends, oldest first; raise Unreadable only.

        `gap` says that packets right before it are missing. A unit ends with its marker, or when a
        packet of another time comes: so one packet can end two, of which the first lost its marker.
        """
        ...
