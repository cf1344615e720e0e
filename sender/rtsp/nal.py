"""NAL units: what H.264 and H.265 have in common on their way from packets to access units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import MAX_UNIT_BYTES, AccessUnit, Unreadable

START_CODE = b"\x00\x00\x00\x01"
#: A picture in slices of one macroblock row each has some hundred.
MAX_NALS = 4096


class Malformed(ValueError):
    """Raised when a payload breaks its format; stays inside this package."""


class Strange(Malformed):
    """Raised for a payload of a kind that we do not take apart; the sentence says which.

    The first packet of a stream says by that what all will be; a later one is damaged.
    """


class Piece(NamedTuple):
    """A NAL unit, or a piece of one. A piece that begins one has its header in front."""

    data: bytes
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class NalKind:
    """What a NAL unit is to its picture."""

    #: It holds a part of the picture.
    is_slice: bool = False
    #: It stands in front of all slices, or is the first: no slice can be missing before it.
    is_front: bool = False
    #: Its picture decodes without others.
    is_key: bool = False
    #: Others build upon its picture.
    is_reference: bool = True
    #: A gradual refresh begins: after so many further reference pictures all are sound.
    refresh: int | None = None


class NalFormat(Protocol):
    """What differs between the codecs."""

    name: str

    def split(self, payload: bytes) -> Iterable[Piece]:
        """Take a packet's payload apart; raise Malformed or Strange."""
        ...

    def judge(self, start: bytes) -> NalKind:
        """Return what the NAL unit that starts so is; at least its header is there."""
        ...


class NalDepacketiser:
    """A depacketiser (see there) of NAL units.

    Parameter sets that came as a unit of their own go before the next picture. Whether a gap took a
    part of the picture after it is seen from what that begins with.
    """

    def __init__(self, form: NalFormat) -> None:
        self._form = form
        self._timestamp = 0
        self._arrived = 0.0
        #: The time of the last unit that a marker ended.
        self._ended: int | None = None
        #: Packets may be missing before the next NAL unit; so it is at the beginning.
        self._is_unsure = True
        #: Reference pictures until a gradual refresh is done.
        self._refreshed_in: int | None = None
        self._clear()

    def put(self, packet: RtpPacket, *, gap: bool) -> list[AccessUnit]:
        """See Depacketiser."""
        if gap:
            self._miss()
        if not packet.payload:
            return []
        units: list[AccessUnit] = []
        if packet.timestamp != self._timestamp and self._has_picture:
            units.append(self._end())
        self._timestamp = packet.timestamp
        self._arrived = packet.arrived
        try:
            for piece in self._form.split(packet.payload):
                self._take(piece)
        except Malformed as exc:
            if isinstance(exc, Strange) and self._ended is None:
                raise Unreadable(str(exc)) from None
            self._lacks_slices = True
            self._miss()
        if packet.marker and self._has_picture:
            units.append(self._end())
            self._ended = packet.timestamp
        return units

    @property
    def _has_picture(self) -> bool:
        return self._has_slices or self._lacks_slices

    def _clear(self) -> None:
        self._data = bytearray()
        self._count = 0
        #: In the middle of a NAL unit that comes in fragments.
        self._is_open = False
        self._has_slices = False
        #: Something came of which nothing can be used.
        self._lacks_slices = False
        self._is_key = False
        self._is_reference = False
        self._refresh: int | None = None
        #: Parts of this unit are missing.
        self._is_damaged = False
        #: Packets are missing before this unit, none of its own.
        self._follows_gap = False

    def _miss(self) -> None:
        """Packets are missing here: of this unit, of the next one, or whole ones between them."""
        self._is_unsure = True
        self._is_open = False
        self._is_damaged |= self._has_picture
        if not self._has_slices:
            # What was said of a picture may have been said of one that is lost.
            self._is_key, self._refresh = False, None

    def _take(self, piece: Piece) -> None:
        if piece.begins:
            self._begin(self._form.judge(piece.data))
            self._data += START_CODE
        elif not self._is_open:
            self._is_damaged = self._lacks_slices = True
            return
        self._is_open = not piece.ends
        self._data += piece.data
        if len(self._data) > MAX_UNIT_BYTES or self._count > MAX_NALS:
            self._clear()
            self._is_damaged = self._lacks_slices = True

    def _begin(self, kind: NalKind) -> None:
        if self._is_unsure:
            self._is_unsure = False
            self._follows_gap = True
            self._is_damaged |= not kind.is_front
        elif (
            kind.is_slice
            and not kind.is_front
            and not self._has_picture
            and self._ended == self._timestamp
        ):
            raise Unreadable(f"{self._form.name}: the marker bit comes in the middle of pictures")
        # The fragments of the NAL unit before have no end.
        self._is_damaged |= self._is_open
        self._count += 1
        self._has_slices |= kind.is_slice
        self._is_key |= kind.is_key
        self._is_reference |= kind.is_slice and kind.is_reference
        if kind.refresh is not None:
            self._refresh = kind.refresh

    def _end(self) -> AccessUnit:
        is_damaged = self._is_damaged or self._is_open
        is_key = self._is_key
        if self._completes_refresh(is_damaged):
            is_key = True
        unit = AccessUnit(
            data=bytes(self._data) if self._has_slices else b"",
            timestamp=self._timestamp,
            is_key=is_key,
            is_damaged=is_damaged or (self._follows_gap and not is_key),
            arrived=self._arrived,
        )
        if self._has_slices:
            self._clear()
        else:
            # Parameter sets are good for the next picture too.
            self._lacks_slices = self._is_damaged = False
            self._miss()
        return unit

    def _completes_refresh(self, is_damaged: bool) -> bool:
        """Count a gradual refresh down (H.264, D.2.8); True for the picture that completes it."""
        if is_damaged:
            self._refreshed_in = None
        elif self._refresh is not None and (self._refreshed_in is None or self._follows_gap):
            self._refreshed_in = self._refresh
        elif self._follows_gap:
            self._refreshed_in = None
        elif self._refreshed_in is not None and self._is_reference:
            self._refreshed_in -= 1
        if self._refreshed_in != 0:
            return False
        self._refreshed_in = None
        return True
