"""H.265 out of RTP (RFC 7798), without decoding order numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sender.rtsp.nal import Malformed, NalDepacketiser, NalKind, Piece, Strange
from sender.rtsp.unit import Unreadable

# NAL unit types: ITU-T H.265, table 7-1; from 48 on RFC 7798, 4.4.
_SLICES = range(32)
#: Pictures where a decoder can start (IRAP): BLA, IDR, CRA.
_KEYS = range(16, 22)
#: Sub-layer non-reference pictures have the even numbers below 16.
_NON_REFERENCE = range(0, 16, 2)
#: Parameter sets, delimiter, prefix SEI and what is reserved for before the slices.
_FRONT = {32, 33, 34, 35, 39, *range(41, 45)}
_AGGREGATE, _FRAGMENT, _PACI = 48, 49, 50
_HEADER = 2


def make_h265(parameters: Mapping[str, str]) -> NalDepacketiser:
    """Return a depacketiser for a track with these `fmtp` parameters; raise Unreadable."""
    most = parameters.get("sprop-max-don-diff", "0")
    if most.strip() != "0":
        raise Unreadable(f"H.265: expected sprop-max-don-diff 0, got {most[:20]!r}")
    return NalDepacketiser(H265())


class H265:
    """See NalFormat."""

    name = "H.265"

    def split(self, payload: bytes) -> Iterator[Piece]:
        """See NalFormat: single NAL units, aggregation packets, fragments (RFC 7798, 4.4.1-3)."""
        if len(payload) < _HEADER:
            raise Malformed
        kind = _kind(payload)
        if kind < _AGGREGATE:
            yield Piece(payload)
        elif kind == _FRAGMENT:
            if len(payload) == _HEADER:
                raise Malformed
            header = payload[_HEADER]
            begins, ends = header >= 0x80, bool(header & 0x40)
            rest = payload[_HEADER + 1 :]
            if begins:
                first = payload[0] & 0x81 | (header & 0x3F) << 1
                yield Piece(bytes([first, payload[1]]) + rest, True, ends)
            else:
                yield Piece(rest, False, ends)
        elif kind == _AGGREGATE:
            at = _HEADER
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                at += 2
                if size < _HEADER or at + size > len(payload):
                    raise Malformed
                yield Piece(payload[at : at + size])
                at += size
        elif kind == _PACI:
            raise Strange("H.265: PACI packets are not taken apart")

    def judge(self, start: bytes) -> NalKind:
        """See NalFormat. A first slice's first bit is first_slice_segment_in_pic_flag, set."""
        kind = _kind(start)
        if kind in _SLICES:
            return NalKind(
                is_slice=True,
                is_front=len(start) > _HEADER and start[_HEADER] >= 0x80,
                is_key=kind in _KEYS,
                is_reference=kind not in _NON_REFERENCE,
            )
        return NalKind(is_front=kind in _FRONT)


def _kind(start: bytes) -> int:
    return start[0] >> 1 & 0x3F
