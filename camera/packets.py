"""RTP packets: FFmpeg cuts a picture into them, we number them."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.stream import Stream

#: RTP's clock for video, in Hz.
CLOCK = 90_000
#: Below the 1500 bytes of an Ethernet frame, with room for a tunnel.
PACKET_BYTES = 1400
#: Seconds between the Unix epoch and NTP's.
_NTP_OFFSET = 2_208_988_800

_MUXED_AS = {"h264": "h264", "h265": "hevc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpFrame:
    """One picture as RTP packets, the same for every client. `captured_at` is Unix seconds."""

    key: bool
    rtp_time: int
    captured_at: float
    ssrc: int
    packets: tuple[bytes, ...]
    _interleaved: dict[int, bytes] = field(default_factory=dict, init=False, compare=False)

    def interleaved(self, channel: int) -> bytes:
        """Return the packets framed for `channel` of an RTSP connection (RFC 2326, 10.12)."""
        if channel not in self._interleaved:
            parts: list[bytes] = []
            for packet in self.packets:
                parts += (struct.pack(">cBH", b"$", channel, len(packet)), packet)
            self._interleaved[channel] = b"".join(parts)
        return self._interleaved[channel]

    def report(self, packets: int, octets: int) -> bytes:
        """Return an RTCP sender report and its SDES: when, in NTP time, this frame was captured.

        `packets` and `octets` are what the client was sent so far (RFC 3550, 6.4.1 and 6.5).
        """
        seconds = int(self.captured_at)
        fraction = int((self.captured_at - seconds) * 2**32)
        sender_report = struct.pack(
            ">BBHIIIIII",
            0x80, 200, 6, self.ssrc,
            (seconds + _NTP_OFFSET) & 0xFFFFFFFF, fraction, self.rtp_time,
            packets & 0xFFFFFFFF, octets & 0xFFFFFFFF,
        )  # fmt: skip
        name = b"framepost"
        description = struct.pack(">BBHIBB", 0x81, 202, 4, self.ssrc, 1, len(name)) + name
        return sender_report + description + b"\0"


class Packetiser:
    """Cut encoded pictures into RTP packets, numbered in one row from a random start."""

    def __init__(self, codec: str, width: int, height: int) -> None:
        self._codec = codec
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._pictures = 0
        self._out: list[bytearray] = []
        self._open(width, height)

    def change(self, codec: str, width: int, height: int) -> None:
        """Go on with other pictures; RFC 2435 carries the size in every packet."""
        self.close()
        self._codec = codec
        self._open(width, height)

    def cut(self, picture: bytes, *, key: bool, rtp_time: int, captured_at: float) -> RtpFrame:
        """Return one encoded picture as packets."""
        packet = av.Packet(picture)
        packet.stream = self._stream
        packet.pts = packet.dts = self._pictures
        packet.time_base = Fraction(1, CLOCK)
        packet.is_keyframe = key
        self._pictures += 1
        self._container.mux(packet)
        rtp_time &= 0xFFFFFFFF
        for cut in self._out:
            struct.pack_into(">HII", cut, 2, self._sequence, rtp_time, self._ssrc)
            self._sequence = (self._sequence + 1) & 0xFFFF
        packets = tuple(bytes(cut) for cut in self._out)
        self._out.clear()
        return RtpFrame(
            key=key, rtp_time=rtp_time, captured_at=captured_at, ssrc=self._ssrc, packets=packets
        )

    def write(self, packet: bytes) -> int:
        """Take one packet from FFmpeg. Its sender reports are left out: clients get ours."""
        if not 200 <= packet[1] <= 204:
            self._out.append(bytearray(packet))
        return len(packet)

    def close(self) -> None:
        self._container.close()
        self._out.clear()

    def _open(self, width: int, height: int) -> None:
        self._container = av.open(
            self, "w", format="rtp", options={"packetsize": str(PACKET_BYTES)}
        )
        if self._codec == "mjpeg":
            # The packetiser takes the kind of subsampling from here.
            stream = self._container.add_stream("mjpeg")
            stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
            self._stream: Stream = stream
        else:
            self._stream = self._container.add_mux_stream(
                _MUXED_AS[self._codec], width=width, height=height
            )
        self._stream.time_base = Fraction(1, CLOCK)
