"""The settings of how often each client may come, a part of the receiver's."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from receiver.names import Names
from shared.settings import Expect, Settings


def _check_networks(networks: list[str]) -> list[str]:
    for network in networks:
        ipaddress.ip_network(network, strict=False)
    return networks


PerSecond = Annotated[float, Field(gt=0, le=1e6), Expect("a number above 0, for each second")]
Networks = Annotated[
    Names,
    AfterValidator(_check_networks),
    Expect("addresses or networks such as 10.0.0.0/8, separated by commas"),
]


class LimitsConfig(Settings):
    """What each client address may ask for."""

    rate_limit: PerSecond | None = Field(
        None,
        description="requests a second from one address (of IPv6: one /64) besides frames, at"
        " least 100 in a row; default: any number",
    )
    rate_limit_frames: PerSecond | None = Field(
        None,
        description="frames a second from one address, however many cameras; default: any number",
    )
    trusted_proxy: Networks = Field(
        [],
        description="proxies whose X-Forwarded-For says which address a request is from; default:"
        " nobody's does",
    )
