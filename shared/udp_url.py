"""UdpUrl: where datagrams go, or where they are taken, and how, taken from one URL."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpUrl:
    """A udp URL. Nothing in it is secret."""

    host: str
    port: int
    #: What its query says to the one who uses it; a name that is absent has the user's default.
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, *, options: Collection[str]) -> UdpUrl:
        """Read `text`, whose query may hold `options`; raise ValueError for another."""
        url = _split(text)
        query: dict[str, str] = {}
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            if name not in options:
                raise ValueError(f"expected no option but {', '.join(options)}, got {name[:40]!r}")
            if name in query:
                raise ValueError(f"{name}: expected once, got it again")
            query[name] = value
        return cls(host=url.hostname or "", port=url.port or 0, options=query)

    @property
    def shown(self) -> str:
        """Scheme, host and port, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"udp://{host}:{self.port}"

    @property
    def is_multicast(self) -> bool:
        """Whether the host is the address of a group."""
        try:
            return ipaddress.ip_address(self.host).is_multicast
        except ValueError:
            return False

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return an option that is a whole number; raise ValueError for what is none."""
        text = self.options.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            text, value = text[:40], least - 1
        else:
            value = int(text)
        if not least <= value <= most:
            raise ValueError(
                f"{name}: expected a whole number from {least} to {most}, got {text!r}"
            )
        return value

    @property
    def interface(self) -> str:
        """The network interface for a group's datagrams, "" for the one that the system takes."""
        name = self.options.get("interface", "")
        if name and not self.is_multicast:
            raise ValueError("interface: expected with the address of a multicast group alone")
        return name


def resolve(url: UdpUrl) -> tuple[socket.AddressFamily, str]:
    """Return the family and the address of its host; raise OSError where it has none."""
    found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_DGRAM)
    family, _, _, _, address = found[0]
    return family, str(address[0])


def interface_index(name: str) -> int:
    """Return the number of a network interface, 0 for none; raise OSError for an unknown one."""
    return socket.if_nametoindex(name) if name else 0


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_good = url.scheme == "udp" and bool(url.hostname) and bool(url.port)
        is_good &= not url.fragment and url.path in ("", "/") and url.username is None
    except ValueError:  # a port that is no number, half an IPv6 address
        is_good = False
    if not is_good or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected udp://HOST:PORT, with options behind a ? or without")
    return url
