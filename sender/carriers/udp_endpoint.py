"""UdpEndpoint: where a camera's frames go as datagrams, and how they are cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from sender.endpoint import Endpoint
from sender.picture import FORMS
from shared import wire
from shared.datagram import HEAD, Cut
from shared.datagram_seal import SEAL
from shared.frame import EncodedFrame
from shared.udp_url import UdpUrl

#: What a URL may say besides where the receiver is.
OPTIONS = ("mtu", "parity", "form", "pace", "interface", "ttl")
#: Bytes of a packet with the heads of IP and UDP: so many pass through tunnels and modems.
MTU = 1400
#: Which every IPv4 host takes (RFC 791, section 3.1).
_LEAST_MTU = 576
_LARGEST = 65_535
_IP_AND_UDP = {4: 28, 6: 48}
#: Percent of the time from one frame to the next.
_PACE, _MOST_PACE = 50, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpEndpoint(Endpoint):
    """An Endpoint whose `target` is the camera's name."""

    url: UdpUrl
    #: Bytes of a whole packet.
    mtu: int
    #: The most pieces of which one may get lost; 0 for no parity.
    parity: int
    #: Share of the time from one frame to the next over which a large frame is spread.
    pace: float
    #: For a multicast group: the network interface, and how many routers they may pass.
    interface: str
    ttl: int
    token: str | None = field(default=None, repr=False)

    @classmethod
    def read(
        cls, to: str, camera: str, *, digest: bool = False, token: str | None = None
    ) -> UdpEndpoint:
        """Read `to`; raise ValueError that says what was expected."""
        url = UdpUrl.parse(to, options=OPTIONS)
        given = url.options.get("form", "jpeg")
        form = next((form for form in FORMS if form == given), None)
        if form is None:
            raise ValueError(f"form: expected {', '.join(FORMS)}, got {given[:40]!r}")
        return cls(
            host=url.host,
            port=url.port,
            tls=False,
            target=camera,
            shown=url.shown,
            digest=digest,
            form=form,
            url=url,
            mtu=url.whole("mtu", MTU, least=_LEAST_MTU, most=_LARGEST),
            parity=url.whole("parity", 0, least=0, most=255),
            pace=url.whole("pace", _PACE, least=0, most=_MOST_PACE) / 100,
            interface=url.interface,
            ttl=url.whole("ttl", 1, least=0, most=255),
            token=token,
        )

    def advice(self, status: int) -> str:
        return ""  # nobody answers

    def request(self, frame: EncodedFrame) -> tuple[dict[str, str], bytes]:
        """Return the envelope, as headers, and the picture."""
        return wire.to_headers(frame, digest=self.digest), frame.data

    def cut(self, length: int, *, version: int) -> Cut:
        """Return how a frame of `length` bytes is cut for IP of that version, 4 or 6.

        Raise ValueError for one that is too long.
        """
        seal = 0 if self.token is None else SEAL
        room = self.mtu - _IP_AND_UDP[version] - HEAD - seal
        return Cut.even(length, room, self.parity)
