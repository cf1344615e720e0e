"""UdpPlace: on which address a listener takes datagrams."""

from __future__ import annotations

from dataclasses import dataclass

from shared.access.network import is_this_machine
from shared.udp_url import UdpUrl

#: What a URL may say besides the address.
OPTIONS = ("interface", "skew")
#: Seconds.
SKEW, _MOST_SKEW = 30, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpPlace:
    """One `--listen`."""

    url: UdpUrl
    interface: str
    #: Seconds by which the clock of a sealed datagram's sender may be off.
    skew: int

    @classmethod
    def parse(cls, text: str) -> UdpPlace:
        """Raise ValueError that says what was expected."""
        url = UdpUrl.parse(text, options=OPTIONS)
        skew = url.whole("skew", SKEW, least=1, most=_MOST_SKEW)
        return cls(url=url, interface=url.interface, skew=skew)

    @property
    def shown(self) -> str:
        return self.url.shown

    @property
    def lacks(self) -> str:
        return "" if is_this_machine(self.url.host) else "a token (RECEIVER_TOKEN or --tokens)"
