"""RTSP read packet by packet: a picture is decoded as soon as its last packet is here."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal, cast

from sender.rtsp.decoder import Codec, Decoded, Decoder
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.order import Order
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.session import Session, Unusual
from sender.rtsp.unit import Depacketiser, Unreadable
from sender.sources.address import Address
from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.demuxer import KEY_FRAME_WAIT
from sender.sources.events import Offered, Unit
from sender.sources.interrupt import Interrupt

#: A stream of which this many pictures in a row, over so many seconds, gave nothing to see after
#: others had: the camera was set to another codec, and a new session will say which.
_UNDECODED = 5
_UNDECODED_SECONDS = 1.5
#: A camera's clock that differs by more, in seconds, is not set to the time of day.
_PLAUSIBLE = 2.0
#: Packets held back for one that is late, and for how many seconds; over TCP none is late.
_DEPTH: dict[Literal["tcp", "udp"], int] = {"tcp": 0, "udp": 128}
_PATIENCE = 0.05


class DirectRtspSource:
    """A Source that reads H.264, H.265 or Motion JPEG over RTSP; JPEGs are left as they came.

    `open` and `read` raise Unusual besides, where FFmpeg should have a try.
    """

    finite = False
    length: int | None = None

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self._address = address
        self._name = address.shown
        self._options = options
        self._interrupt = Interrupt()
        self._session: Session | None = None
        self._decoder: Decoder | None = None
        self._ready: deque[Shot] = deque()

    def open(self) -> None:
        options = self._options
        self._session = Session(
            self._address,
            self._interrupt,
            transport=options.rtsp_transport,
            open_timeout=options.open_timeout,
            read_timeout=options.read_timeout,
            name=self._name,
            observe=options.observe,
        )
        track = self._session.open()
        if options.observe is not None:
            sets = track.parameter_sets
            options.observe(Offered("direct", track.codec, "", sets, track.fps, track.clock_rate))
        self._order = Order(depth=_DEPTH[options.rtsp_transport], patience=_PATIENCE)
        try:
            self._depacketiser: Depacketiser = make_depacketiser(track.codec, track.parameters)
        except Unreadable as exc:
            raise Unusual(f"{self._name}: {exc}") from None
        # Of those that have a depacketiser.
        codec = cast(Codec, track.codec)
        self._decoder = Decoder(codec, parameter_sets=track.parameter_sets)
        self._undecoded = 0
        self._seen_at: float | None = None
        self._timestamp: int | None = None

    def read(self) -> Shot:
        assert self._session is not None, "read before open"
        assert self._decoder is not None
        observe = self._options.observe
        patience = max(KEY_FRAME_WAIT, self._options.read_timeout)
        give_up = time.monotonic() + patience
        while not self._ready:
            packet = self._session.receive(until=self._order.deadline())
            if observe is not None and packet is not None:
                observe(packet)
            try:
                for one, gap in self._in_order(packet):
                    # By their markers: packets of another codec may make no unit at all.
                    self._undecoded += one.marker
                    for unit in self._depacketiser.put(one, gap=gap):
                        if observe is not None:
                            size = len(unit.data)
                            observe(Unit(size, unit.is_key, unit.arrived, unit.timestamp))
                        for decoded in self._decoder.decode(unit):
                            self._put(decoded, self._decoder)
            except Unreadable as exc:
                raise Unusual(f"{self._name}: {exc}") from None
            now = time.monotonic()
            if (
                self._seen_at is not None
                and self._undecoded >= _UNDECODED
                and now - self._seen_at > _UNDECODED_SECONDS
            ):
                raise SourceError(
                    f"{self._name}: what it sends decodes no more; it may be another codec now",
                    reason="format",
                )
            if now > give_up:
                raise Unusual(f"{self._name}: packets come, but for {patience:g} s no picture")
        return self._ready.popleft()

    def close(self) -> None:
        self._ready.clear()
        session, self._session = self._session, None
        if session is not None:
            session.close()
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            decoder.close()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()

    def _in_order(self, packet: RtpPacket | None) -> list[tuple[RtpPacket, bool]]:
        if packet is not None:
            return self._order.put(packet)
        return self._order.overdue(time.monotonic())

    def _put(self, decoded: Decoded, decoder: Decoder) -> None:
        self._undecoded, self._seen_at = 0, decoded.arrived
        lost, decoder.lost = decoder.lost, 0
        captured = self._captured(decoded)
        self._ready.append(Shot(decoded.picture, captured, decoded.is_corrupt, lost))

    def _captured(self, decoded: Decoded) -> float:
        """Return when the camera says that it took the picture, if it can be true."""
        assert self._session is not None
        # Where all have the same timestamp, it is none.
        is_timed, self._timestamp = self._timestamp != decoded.timestamp, decoded.timestamp
        taken = self._session.clock.unix(decoded.timestamp)
        if self._options.capture_time == "arrival" or taken is None or not is_timed:
            return decoded.arrived
        age = time.time() - taken - (time.monotonic() - decoded.arrived)
        return decoded.arrived - age if 0.0 <= age <= _PLAUSIBLE else decoded.arrived
