"""The decoder: access units to pictures, each as soon as its last packet came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import av
import av.error
from av.codec.context import Flags, ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from sender.picture import JpegPicture, Picture, VideoPicture
from sender.rtsp.nal import START_CODE
from sender.rtsp.unit import AccessUnit
from shared.errors import FrameError
from shared.jpeg import MAX_PIXELS

Codec = Literal["H264", "H265", "JPEG"]

_NAMES = {"H264": "h264", "H265": "hevc"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, and what its access unit said of it."""

    picture: Picture
    #: RTP's, of this very picture: with B-frames they come in another order than their units.
    timestamp: int
    #: Monotonic seconds: when its last packet had been read.
    arrived: float
    #: Parts of it, or of what it builds upon, are wrong or missing.
    is_corrupt: bool


class _Origin(NamedTuple):
    """What travels through FFmpeg with a picture."""

    timestamp: int
    arrived: float
    is_corrupt: bool


class Decoder:
    """Decodes the access units of one track. One thread uses it; nothing is decoded ahead.

    A picture comes with its own unit, except where the stream has B-frames and it has to wait
    for its turn. FFmpeg marks few of the pictures that build upon something missing, so whatever
    comes between a damaged unit and the next key unit is marked here.
    """

    def __init__(self, codec: Codec, *, parameter_sets: Sequence[bytes] = ()) -> None:
        """`parameter_sets` are NAL units from the SDP; those in the stream replace them."""
        #: Units that gave no picture at all because of an error.
        self.lost = 0
        self._is_jpeg = codec == "JPEG"
        self._context = None if self._is_jpeg else _open(codec, parameter_sets)
        #: Something is missing that pictures build upon.
        self._is_broken = True
        #: The time of the key unit that mended it, while pictures from before it may follow.
        self._mended: int | None = None

    def decode(self, unit: AccessUnit) -> list[Decoded]:
        """Return the pictures that `unit` brings, none or more; never raises."""
        if self._is_jpeg:
            return self._read_jpeg(unit)
        assert self._context is not None, "the decoder is closed"
        origin = _Origin(unit.timestamp, unit.arrived, self._judge(unit))
        if not unit.data:
            self.lost += 1
            return []
        packet = av.Packet(unit.data)
        packet.opaque = origin
        try:
            frames = self._context.decode(packet)
        except av.error.FFmpegError:
            self.lost += 1
            self._is_broken = True
            return []
        # FFmpeg marks the picture in which it met damage, and few that build upon it.
        if any(_is_newly_corrupt(frame) for frame in frames):
            self._is_broken, self._mended = True, None
        return [_decoded(frame, origin) for frame in frames]

    def close(self) -> None:
        """Let go of the decoder; may be called twice."""
        self._context = None

    def _read_jpeg(self, unit: AccessUnit) -> list[Decoded]:
        try:
            picture = JpegPicture.read(unit.data)
        except FrameError:
            self.lost += 1
            return []
        return [Decoded(picture, unit.timestamp, unit.arrived, unit.is_damaged)]

    def _judge(self, unit: AccessUnit) -> bool:
        """Return whether `unit` or what it builds upon is damaged."""
        if unit.is_damaged:
            self._is_broken, self._mended = True, None
        elif unit.is_key and self._is_broken:
            self._is_broken, self._mended = False, unit.timestamp
        elif self._mended is not None:
            # Shown before the key picture but sent after it: it may build upon what was before.
            if (unit.timestamp - self._mended) & 0xFFFFFFFF >= 0x80000000:
                return True
            self._mended = None
        return self._is_broken


def _open(codec: Codec, parameter_sets: Sequence[bytes]) -> VideoCodecContext:
    context = av.CodecContext.create(_NAMES[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.copy_opaque = True
    # Pictures that began in the middle come too, and are marked: the reader decides.
    context.flags |= Flags.low_delay | Flags.output_corrupt
    # A few bytes may claim a picture that costs gigabytes.
    context.options = {"max_pixels": str(MAX_PIXELS)}
    # Threads for each frame would hold back as many frames as there are threads.
    context.thread_type = ThreadType.SLICE
    if parameter_sets:
        context.extradata = b"".join(START_CODE + unit for unit in parameter_sets)
    return context


def _is_newly_corrupt(frame: VideoFrame) -> bool:
    """Return whether FFmpeg found damage in a picture whose unit seemed sound."""
    origin = frame.opaque
    return frame.is_corrupt and isinstance(origin, _Origin) and not origin.is_corrupt


def _decoded(frame: VideoFrame, latest: _Origin) -> Decoded:
    # What FFmpeg makes up for a missing picture comes from nowhere.
    origin = frame.opaque
    if not isinstance(origin, _Origin):
        origin = latest._replace(is_corrupt=True)
    is_corrupt = origin.is_corrupt or frame.is_corrupt
    return Decoded(VideoPicture(frame), origin.timestamp, origin.arrived, is_corrupt)
