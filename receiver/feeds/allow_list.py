"""AllowList: which addresses a webhook may connect to."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Where clouds tell a machine its secrets, besides 169.254.169.254.
_METADATA = (ip_network("fd00:ec2::254"), ip_network("100.100.100.200"))
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)


class AllowList:
    """Decides about IP addresses, those that are really connected to. Any thread.

    With entries an address must be one of them: an address, a network such as 10.0.0.0/8, or one
    that a host name has at that moment. Without any, every address will do. Link-local (cloud
    metadata), multicast and unspecified addresses must be named as address or network in any case.
    """

    def __init__(
        self,
        entries: Sequence[str] = (),
        *,
        resolve: Callable[[str], Collection[str]] | None = None,
    ) -> None:
        """Raise ValueError for what is none of the three."""
        parsed = [_parse(entry) for entry in entries]
        self._networks = [entry for entry in parsed if not isinstance(entry, str)]
        self._hosts = [entry for entry in parsed if isinstance(entry, str)]
        self._resolve = resolve or _resolve

    def allows(self, text: str) -> bool:
        """Tell whether the IP address may be connected to."""
        address = _plain(text)
        if any(address in network for network in self._networks):
            return True
        if _is_special(address):
            return False
        if not self._networks and not self._hosts:
            return True
        return any(address in map(_plain, self._resolve(host)) for host in self._hosts)


def _parse(entry: str) -> Network | str:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        # What ends in digits is meant for an address, of which something is wrong.
        if not _HOST.fullmatch(entry) or entry.rstrip(".").rpartition(".")[2].isdigit():
            raise ValueError(
                "expected addresses, networks such as 10.0.0.0/8, or host names"
            ) from None
        return entry


def _plain(text: str) -> Address:
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_special(address: Address) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or any(address in network for network in _METADATA)
    )


def _resolve(host: str) -> Collection[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError:
        return ()
