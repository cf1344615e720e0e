"""Profile: the codec and its profile in the words of a camera's web page."""

from __future__ import annotations

from collections.abc import Sequence

_CODECS = {"h264": "H.264", "hevc": "H.265", "h265": "H.265", "jpeg": "Motion JPEG"}
_CODECS |= {"mjpeg": "Motion JPEG", "mpeg4": "MPEG-4"}
#: ITU-T H.264, A.2.
_H264 = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10"}
_H264 |= {122: "High 4:2:2", 244: "High 4:4:4"}
#: ITU-T H.265, A.3.
_H265 = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}


def name_codec(codec: str) -> str:
    """Return `codec` as people write it."""
    return _CODECS.get(codec.lower(), codec)


def read_profile(codec: str, parameter_sets: Sequence[bytes]) -> str:
    """Return profile and level out of the sequence parameter set, or an empty string.

    H.264, 7.3.2.1.1: three bytes behind the unit's header. H.265, 7.3.3: the profile begins one
    byte behind the unit's header of two, the level stands eleven bytes further on.
    """
    for unit in parameter_sets:
        plain = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        if codec == "H264" and plain[0] & 0x1F == 7 and len(plain) > 3:
            is_constrained = plain[1] == 66 and plain[2] & 0x40
            name = "Constrained Baseline" if is_constrained else _H264.get(plain[1], "")
            return f"{name or f'profile {plain[1]}'}, level {plain[3] / 10:g}"
        if codec == "H265" and plain[0] >> 1 & 0x3F == 33 and len(plain) > 14:
            kind = plain[3] & 0x1F
            return f"{_H265.get(kind, f'profile {kind}')}, level {plain[14] / 30:g}"
    return ""
