"""Streams for tests: the test pattern encoded, and two ways to make RTP packets of it.

FFmpeg's packetiser, through the simulated camera, makes what real cameras send; the one here
makes what FFmpeg never does: any size of packet, and every form that the RFCs allow.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from camera.packets import Packetiser
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import AccessUnit, Depacketiser
from shared import codec, pattern

#: A timestamp of 32 bits turns over in the middle of each test.
FIRST = 2**32 - 5 * 3600
STEP = 3600
SSRC = 0x5EED
WIDTH, HEIGHT = 160, 120
QUIET_X265 = "log-level=error:pools=none:frame-threads=1:repeat-headers=1"


@dataclass(frozen=True)
class Encoded:
    """One picture as it is sent: in coding order, `number` is what is drawn in it."""

    data: bytes
    number: int


@cache
def encode(
    library: str,
    options: tuple[tuple[str, str], ...] = (),
    *,
    frames: int = 12,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> tuple[Encoded, ...]:
    """Return pictures of the test pattern, in coding order."""
    width, height = size
    context = av.CodecContext.create(library, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.framerate = Fraction(25)
    context.thread_count = 1
    context.options = {"preset": "veryfast", **dict(options)}
    packets = []
    for number in range(frames):
        image = pattern.draw(number, width, height, number / 25)
        frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return tuple(Encoded(bytes(packet), packet.pts or 0) for packet in packets)


def h264(
    *params: str,
    frames: int = 12,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    options: Mapping[str, str] | None = None,
) -> tuple[Encoded, ...]:
    """Return H.264; `params` are x264's own, `options` FFmpeg's."""
    x264 = ":".join(("repeat-headers=1", "scenecut=0", *params))
    return encode(
        "libx264", (("x264-params", x264), *(options or {}).items()), frames=frames, size=size
    )


def h265(
    *params: str,
    frames: int = 12,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    options: Mapping[str, str] | None = None,
) -> tuple[Encoded, ...]:
    """Return H.265; `params` are x265's own, `options` FFmpeg's."""
    x265 = ":".join((QUIET_X265, "scenecut=0", *params))
    return encode(
        "libx265", (("x265-params", x265), *(options or {}).items()), frames=frames, size=size
    )


def jpegs(
    *, frames: int = 4, quality: int = 80, size: tuple[int, int] = (320, 240)
) -> tuple[Encoded, ...]:
    return tuple(
        Encoded(codec.encode(pattern.draw(number, *size, number / 25), quality), number)
        for number in range(frames)
    )


def time_of(number: int) -> int:
    """Return the RTP timestamp of picture `number`."""
    return (FIRST + number * STEP) % 2**32


def number_at(timestamp: int) -> int:
    """Return which picture has this RTP timestamp."""
    number, rest = divmod((timestamp - FIRST) % 2**32, STEP)
    assert rest == 0
    return number


def nals(data: bytes) -> list[bytes]:
    """Return the NAL units of an Annex B stream."""
    return [unit for unit in re.split(rb"\x00*\x00\x00\x01", data) if unit]


def packet(
    payload: bytes,
    *,
    seq: int = 0,
    timestamp: int = FIRST,
    marker: bool = False,
    arrived: float = 0.0,
    ssrc: int = SSRC,
) -> RtpPacket:
    return RtpPacket(96, marker, seq % 65536, timestamp, ssrc, payload, arrived)


def muxed(
    name: str, pictures: Iterable[Encoded], *, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> list[list[RtpPacket]]:
    """Return each picture's packets as FFmpeg cuts them; `arrived` is the picture's place."""
    packetiser = Packetiser(name, *size)
    cut = [
        packetiser.cut(one.data, key=False, rtp_time=time_of(one.number), captured_at=0.0).packets
        for one in pictures
    ]
    packetiser.close()
    parsed = [
        [RtpPacket.parse(raw, float(place)) for raw in packets] for place, packets in enumerate(cut)
    ]
    return [[one for one in packets if one is not None] for packets in parsed]


def packed_h264(units: Iterable[bytes], mtu: int) -> Iterator[bytes]:
    """Return payloads of at most `mtu` bytes: STAP-A while units fit, FU-A where one does not."""
    together: list[bytes] = []
    for unit in (*units, b""):
        size = 1 + sum(2 + len(one) for one in (*together, unit))
        if together and (size > mtu or not unit):
            yield (
                together[0]
                if len(together) == 1
                else b"\x78" + b"".join(struct.pack(">H", len(one)) + one for one in together)
            )
            together = []
        if len(unit) <= mtu:
            together.append(unit) if unit else None
            continue
        rest, step = unit[1:], mtu - 2
        for at in range(0, len(rest), step):
            bits = (at == 0) << 7 | (at + step >= len(rest)) << 6
            header = bytes([unit[0] & 0xE0 | 28, bits | unit[0] & 0x1F])
            yield header + rest[at : at + step]


def packed_h265(units: Iterable[bytes], mtu: int) -> Iterator[bytes]:
    """Return payloads of at most `mtu` bytes: aggregation packets, fragments."""
    together: list[bytes] = []
    for unit in (*units, b""):
        size = 2 + sum(2 + len(one) for one in (*together, unit))
        if together and (size > mtu or not unit):
            yield (
                together[0]
                if len(together) == 1
                else b"\x60\x01" + b"".join(struct.pack(">H", len(one)) + one for one in together)
            )
            together = []
        if len(unit) <= mtu:
            together.append(unit) if unit else None
            continue
        rest, step = unit[2:], mtu - 3
        for at in range(0, len(rest), step):
            bits = (at == 0) << 7 | (at + step >= len(rest)) << 6
            header = bytes([unit[0] & 0x81 | 49 << 1, unit[1], bits | unit[0] >> 1 & 0x3F])
            yield header + rest[at : at + step]


def numbered(payloads: Iterable[bytes], *, timestamp: int = FIRST, seq: int = 0) -> list[RtpPacket]:
    """Return one picture's payloads as packets, the marker on the last."""
    packets = [
        packet(payload, seq=seq + place, timestamp=timestamp)
        for place, payload in enumerate(payloads)
    ]
    return [*packets[:-1], replace(packets[-1], marker=True)]


def cut_small(name: str, pictures: Iterable[Encoded], mtu: int = 100) -> list[list[RtpPacket]]:
    """Return each picture's packets, many and small; `arrived` is the picture's place."""
    pack = {"H264": packed_h264, "H265": packed_h265}[name]
    cut: list[list[RtpPacket]] = []
    seq = 65500
    for place, one in enumerate(pictures):
        packets = numbered(pack(nals(one.data), mtu), timestamp=time_of(one.number), seq=seq)
        cut.append([replace(each, arrived=float(place)) for each in packets])
        seq += len(packets)
    return cut


def feed(depacketiser: Depacketiser, packets: Iterable[RtpPacket]) -> list[AccessUnit]:
    """Put packets, seeing gaps from their numbers alone; return the units."""
    units: list[AccessUnit] = []
    before: int | None = None
    for one in packets:
        gap = before is not None and one.seq != (before + 1) % 65536
        before = one.seq
        units += depacketiser.put(one, gap=gap)
    return units


def units_of(name: str, packets: Iterable[RtpPacket], **parameters: str) -> list[AccessUnit]:
    """Return the units that a new depacketiser for codec `name` makes of the packets."""
    return feed(make_depacketiser(name, parameters), packets)


def flat(pictures: Iterable[list[RtpPacket]]) -> list[RtpPacket]:
    return [one for packets in pictures for one in packets]


def grey(picture: bytes) -> int | None:
    """Return the number drawn in a JPEG, None where none is legible."""
    mark = pattern.read(codec.decode(picture))
    return None if mark is None else mark.number


def same_pixels(one: bytes, other: bytes) -> bool:
    return bool(np.array_equal(codec.decode(one), codec.decode(other)))
