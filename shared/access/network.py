"""Network: what counts as one client among the addresses that requests come from, or as nobody's
but this machine's.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

#: Addresses that are remembered wherever something is kept of each.
ADDRESSES = 1024


@lru_cache(maxsize=ADDRESSES)
def network_of(address: str) -> str:
    """Return the address, or of IPv6 the /64, in which a machine may choose freely."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def is_this_machine(host: str) -> bool:
    """Tell whether only programs on this machine can get at an address to listen on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
