"""The headers of SETUP: which way the packets go (Transport), and for how long (Session)."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: RFC 2326, 12.37.
DEFAULT_TIMEOUT = 60.0
_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transport:
    """The way that a server chose (RFC 2326, 12.39); None where it does not say."""

    over_tcp: bool
    is_multicast: bool = False
    #: RTP's and RTCP's channel of the RTSP connection.
    channels: tuple[int, int] | None = None
    #: The UDP ports that the server sends RTP and RTCP from.
    server_ports: tuple[int, int] | None = None
    #: The host that it sends from, where that is another one.
    source: str | None = None

    @classmethod
    def parse(cls, header: str) -> Transport | None:
        """Read the first way in `header`; None where it names no form of RTP/AVP."""
        profile, *parts = [part.strip() for part in header.partition(",")[0].split(";")]
        kind = profile.upper()
        if kind not in ("RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP"):
            return None
        options = {
            name.strip().lower(): value.strip(' "')
            for name, _, value in (part.partition("=") for part in parts)
        }
        return cls(
            over_tcp=kind == "RTP/AVP/TCP",
            is_multicast="multicast" in options,
            channels=_pair(options.get("interleaved", ""), lowest=0, highest=255),
            server_ports=_pair(options.get("server_port", ""), lowest=1, highest=65535),
            source=options.get("source") or None,
        )


@dataclass(frozen=True, slots=True)
class SessionName:
    """What a server calls the session, and how many seconds it waits for a sign of life."""

    id: str
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def parse(cls, header: str) -> SessionName | None:
        """Read `id;timeout=SECONDS` (RFC 2326, 12.37); None where there is no id."""
        name, *parts = [part.strip() for part in header.split(";")]
        if not name:
            return None
        for part in parts:
            key, _, value = (piece.strip() for piece in part.partition("="))
            if key.lower() == "timeout" and _SECONDS.fullmatch(value) and int(value) > 0:
                return cls(name, float(value))
        return cls(name)


def _pair(text: str, *, lowest: int, highest: int) -> tuple[int, int] | None:
    """Read `4-5`, or `4`, which means the same."""
    found = _PAIR.fullmatch(text)
    if found is None:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    if not (lowest <= first <= highest and lowest <= second <= highest and first != second):
        return None
    return first, second
