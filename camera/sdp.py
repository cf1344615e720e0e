"""The SDP that DESCRIBE answers: which codec, and the parameter sets that start its decoder."""

from __future__ import annotations

import base64
import re

#: RTP payload type: JPEG's is fixed (RFC 3551), the others' are of the dynamic range.
PAYLOAD_TYPES = {"h264": 96, "h265": 96, "mjpeg": 26}
TRACK = "trackID=0"

_RTP_NAMES = {"h264": "H264", "h265": "H265", "mjpeg": "JPEG"}
#: Annex B start codes, with the zero byte that may stand before them.
_START_CODE = re.compile(rb"\x00*\x00\x00\x01")


def describe(codec: str, parameters: bytes, *, host: str, fps: float) -> str:
    """Return the SDP of one video track.

    `parameters` are the encoder's parameter sets in Annex B form; empty for MJPEG.
    """
    payload_type = PAYLOAD_TYPES[codec]
    family = "IP6" if ":" in host else "IP4"
    lines = [
        "v=0",
        f"o=- 0 0 IN {family} {host}",
        "s=Framepost simulated camera",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",
        "t=0 0",
        "a=range:npt=now-",
        "a=control:*",
        f"m=video 0 RTP/AVP {payload_type}",
        f"a=rtpmap:{payload_type} {_RTP_NAMES[codec]}/90000",
        *([f"a=fmtp:{payload_type} {_format(codec, parameters)}"] if parameters else []),
        f"a=framerate:{fps:g}",
        f"a=control:{TRACK}",
    ]
    return "\r\n".join(lines) + "\r\n"


def _format(codec: str, parameters: bytes) -> str:
    units = [unit for unit in _START_CODE.split(parameters) if unit]
    if codec == "h264":  # RFC 6184, 8.1; the low five bits are the unit's type
        sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
        profile = next(unit[1:4].hex().upper() for unit in sets if unit[0] & 0x1F == 7)
        sprop = ",".join(_base64(unit) for unit in sets)
        return f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}"
    names = {32: "vps", 33: "sps", 34: "pps"}  # RFC 7798, 7.1
    sets_by_name = {names[kind]: u for u in units if (kind := u[0] >> 1 & 0x3F) in names}
    return ";".join(f"sprop-{name}={_base64(unit)}" for name, unit in sets_by_name.items())


def _base64(unit: bytes) -> str:
    return base64.b64encode(unit).decode()
