"""JPEG out of RTP (RFC 2435)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from sender.rtsp.jpeg_header import END, Tables, make_header, scaled_tables
from sender.rtsp.nal import Malformed, Strange
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import AccessUnit, Unreadable

_MAIN = struct.Struct(">IBBBB")
_RESTART = struct.Struct(">HH")
_TABLES = struct.Struct(">BBH")
#: From this type on a restart header follows; from this Q on the tables come with the picture.
_WITH_RESTART, _WITH_TABLES = 64, 128
#: The only Q whose tables may change with every picture.
_CHANGING = 255


def make_jpeg(parameters: Mapping[str, str]) -> JpegDepacketiser:
    """Return a depacketiser; the packets themselves say everything, `fmtp` nothing."""
    return JpegDepacketiser()


class JpegDepacketiser:
    """A depacketiser (see there) of JPEG pictures. A picture with a hole in it is lost.

    The fragments' offsets prove that nothing is missing between them; they are 24 bits wide, which
    bounds a picture.
    """

    def __init__(self) -> None:
        #: Quantisation tables that were sent, by Q.
        self._tables: dict[int, Tables] = {}
        self._timestamp = 0
        self._arrived = 0.0
        #: There was a whole picture, ever.
        self._is_known = False
        self._began = False
        #: The last packets may be missing.
        self._is_unsure = False
        self._clear()

    def put(self, packet: RtpPacket, *, gap: bool) -> list[AccessUnit]:
        """See Depacketiser."""
        self._is_unsure |= gap
        if not packet.payload:
            return []
        units: list[AccessUnit] = []
        if packet.timestamp != self._timestamp and self._began:
            units.append(self._end())
        self._timestamp = packet.timestamp
        self._arrived = packet.arrived
        self._began = True
        try:
            self._take(packet.payload)
        except Malformed as exc:
            if isinstance(exc, Strange) and not self._is_known:
                raise Unreadable(str(exc)) from None
            self._is_whole = False
        if packet.marker:
            units.append(self._end())
        return units

    def _clear(self) -> None:
        self._data = bytearray()
        #: Bytes of entropy-coded data that came.
        self._size = 0
        self._began = False
        self._is_whole = True
        self._is_unsure = False

    def _take(self, payload: bytes) -> None:
        """Take one fragment; raise Malformed or Strange."""
        if len(payload) < _MAIN.size:
            raise Malformed
        offset, kind, quality, width, height = _MAIN.unpack_from(payload)
        # Its first byte is about fields of interlaced pictures.
        offset &= 0xFFFFFF
        at = _MAIN.size
        restart_interval = 0
        if kind >= _WITH_RESTART:
            if len(payload) < at + _RESTART.size:
                raise Malformed
            restart_interval, _ = _RESTART.unpack_from(payload, at)
            at += _RESTART.size
        if offset == 0:
            if quality >= _WITH_TABLES:
                tables, at = self._read_tables(payload, at, quality)
            else:
                tables = _known_tables(quality)
            header = make_header(
                *_sides(width, height),
                luma_rows=_luma_rows(kind),
                tables=tables,
                restart_interval=restart_interval,
            )
            self._data = bytearray(header)
            self._size = 0
            self._is_whole = True
        elif offset != self._size:
            raise Malformed
        self._is_unsure = False
        if self._is_whole:
            self._data += payload[at:]
            self._size += len(payload) - at

    def _read_tables(self, payload: bytes, at: int, quality: int) -> tuple[Tables, int]:
        """Return the tables (RFC 2435, 3.1.8) at offset `at`, and what follows it."""
        if len(payload) < at + _TABLES.size:
            raise Malformed
        _, precision, length = _TABLES.unpack_from(payload, at)
        at += _TABLES.size
        end = at + length
        if length == 0 and quality in self._tables:
            return self._tables[quality], at
        tables: list[bytes] = []
        while at < end:
            size = 128 if precision >> len(tables) & 1 else 64
            tables.append(payload[at : at + size])
            at += size
        if not tables or at != end or end > len(payload):
            raise Malformed
        if quality != _CHANGING:
            self._tables[quality] = tuple(tables)
        return tuple(tables), end

    def _end(self) -> AccessUnit:
        data = b""
        if self._is_whole and not self._is_unsure and self._size:
            data = bytes(self._data)
            if not data.endswith(END):
                data += END
            self._is_known = True
        unit = AccessUnit(data, self._timestamp, True, not data, self._arrived)
        self._clear()
        return unit


def _known_tables(quality: int) -> Tables:
    if not 1 <= quality <= 99:
        raise Strange(f"JPEG: expected Q from 1 to 99 or from 128 to 255, got {quality}")
    return scaled_tables(quality)


def _luma_rows(kind: int) -> int:
    """Return how often luma is sampled down for chroma once: types 0 (4:2:2) and 1 (4:2:0)."""
    if kind & ~_WITH_RESTART not in (0, 1):
        raise Strange(f"JPEG: expected type 0, 1, 64 or 65, got {kind}")
    return 1 + (kind & 1)


def _sides(width: int, height: int) -> tuple[int, int]:
    """Return the sides in pixels; in blocks of 8 they do not fit in a byte from 2048 on."""
    if width == 0 or height == 0:
        raise Strange("JPEG: expected sides of at most 2040 pixels, got larger ones")
    return 8 * width, 8 * height
