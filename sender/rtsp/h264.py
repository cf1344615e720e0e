"""H.264 out of RTP (RFC 6184), in its non-interleaved modes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sender.rtsp.nal import Malformed, NalDepacketiser, NalKind, Piece, Strange
from sender.rtsp.unit import Unreadable

# NAL unit types: ITU-T H.264, table 7-1; from 24 on RFC 6184, table 1.
_SLICES = range(1, 6)
_FIRST_CAPABLE = {1, 2, 5}  # a slice, its partition A, a slice of an IDR picture
_IDR, _SEI = 5, 6
#: SEI, sequence and picture parameter sets, delimiter, prefix: all before the picture's slices.
_FRONT = {6, 7, 8, 9, 14, 15, 16, 17, 18}
_STAP_A, _FU_A = 24, 28
_IGNORED = {30, 31}
_RECOVERY_POINT = 6
#: Where a recovery point is looked for; it stands among the first messages.
_SEI_BYTES = 512


def make_h264(parameters: Mapping[str, str]) -> NalDepacketiser:
    """Return a depacketiser for a track with these `fmtp` parameters; raise Unreadable."""
    if parameters.get("packetization-mode", "0") == "2":
        raise Unreadable("H.264: expected packetization-mode 0 or 1, got 2, the interleaved one")
    return NalDepacketiser(H264())


class H264:
    """See NalFormat."""

    name = "H.264"

    def split(self, payload: bytes) -> Iterator[Piece]:
        """See NalFormat: single NAL units, STAP-A and FU-A (RFC 6184, 5.6, 5.7.1 and 5.8)."""
        kind = payload[0] & 0x1F
        if 1 <= kind < _STAP_A:
            yield Piece(payload)
        elif kind == _FU_A:
            if len(payload) < 2:
                raise Malformed
            header = payload[1]
            begins, ends = header >= 0x80, bool(header & 0x40)
            if begins:
                yield Piece(bytes([payload[0] & 0xE0 | header & 0x1F]) + payload[2:], True, ends)
            else:
                yield Piece(payload[2:], False, ends)
        elif kind == _STAP_A:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                at += 2
                if size == 0 or at + size > len(payload):
                    raise Malformed
                yield Piece(payload[at : at + size])
                at += size
        elif kind not in _IGNORED:
            raise Strange(
                f"H.264: expected single NAL units, STAP-A and FU-A, got a packet of type {kind}"
            )

    def judge(self, start: bytes) -> NalKind:
        """See NalFormat. The first bit of a first slice is that of `first_mb_in_slice`, 0."""
        kind = start[0] & 0x1F
        if kind in _SLICES:
            is_first = kind in _FIRST_CAPABLE and len(start) > 1 and start[1] >= 0x80
            return NalKind(
                is_slice=True,
                is_front=is_first,
                is_key=kind == _IDR,
                is_reference=bool(start[0] & 0x60),
            )
        if kind == _SEI:
            frames = _recovery_frames(start[1:_SEI_BYTES])
            return NalKind(is_front=True, is_key=frames == 0, refresh=frames or None)
        return NalKind(is_front=kind in _FRONT)


def _recovery_frames(messages: bytes) -> int | None:
    """Return the recovery_frame_cnt of an SEI's messages (H.264, 7.3.2.3.1 and D.1.8), if any."""
    messages = messages.replace(b"\x00\x00\x03", b"\x00\x00")
    at = 0
    while at + 2 < len(messages):
        numbers = []
        for _ in range(2):  # the message's type and size, each in bytes of 255 and a last one
            number = 0
            while at < len(messages) and messages[at] == 0xFF:
                number += 0xFF
                at += 1
            if at == len(messages):
                return None
            numbers.append(number + messages[at])
            at += 1
        kind, size = numbers
        if kind == _RECOVERY_POINT:
            return _unsigned(messages[at : at + size])
        at += size
    return None


def _unsigned(data: bytes) -> int | None:
    """Return the Exp-Golomb number that `data` starts with (H.264, 9.1), None where it is none."""
    bits = 8 * len(data)
    value = int.from_bytes(data, "big")
    zeros = bits - value.bit_length()
    length = 2 * zeros + 1
    return None if length > bits else (value >> (bits - length)) - 1
