"""The Transport header of SETUP: which of the ways that a client offers is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from camera.message import Refusal

_PAIR_FORM = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a client wants RTP and RTCP: two channels of its TCP connection, or two UDP ports."""

    over_tcp: bool
    rtp: int
    rtcp: int


def choose(header: str) -> Wish:
    """Return the first of the client's offers that we can do; raise Refusal (461) for none.

    We can do unicast play over UDP, or interleaved in the RTSP connection.
    """
    for offer in header.split(","):
        wish = _read_offer(offer)
        if wish is not None:
            return wish
    raise Refusal(461)


def _read_offer(offer: str) -> Wish | None:
    profile, *parts = [part.strip() for part in offer.split(";")]
    options = {name.lower(): value for name, _, value in (part.partition("=") for part in parts)}
    if "multicast" in options or options.get("mode", "play").strip('"').lower() != "play":
        return None
    if profile.upper() == "RTP/AVP/TCP":
        return _wish(True, options.get("interleaved", "0-1"), lowest=0, highest=255)
    if profile.upper() in ("RTP/AVP", "RTP/AVP/UDP"):
        return _wish(False, options.get("client_port", ""), lowest=1, highest=65535)
    return None


def _wish(over_tcp: bool, numbers: str, *, lowest: int, highest: int) -> Wish | None:
    found = _PAIR_FORM.fullmatch(numbers)
    if found is None:
        return None
    rtp = int(found[1])
    rtcp = int(found[2]) if found[2] else rtp + 1
    if not (lowest <= rtp <= highest and lowest <= rtcp <= highest and rtp != rtcp):
        return None
    return Wish(over_tcp, rtp, rtcp)
