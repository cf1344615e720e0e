"""ZmqUrl: where a ZeroMQ socket is or goes to, and what is meant to happen there."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

#: Over TCP; both sides know the first, the second only receivers, the third only senders.
REQUEST, SUBSCRIBE, PUBLISH = "zmq", "zmq+sub", "zmq+pub"
#: What a socket that is bound means by all of this machine's addresses.
_ALL = {"*": "0.0.0.0", "localhost": "127.0.0.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZmqUrl:
    """A URL of ours for a ZeroMQ socket. Nothing in it is secret; its options may name files."""

    scheme: str
    #: As it was written, but for *, which is 0.0.0.0.
    host: str
    port: int
    #: A name that is absent has the user's default.
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, *, options: Collection[str]) -> ZmqUrl:
        """Read `text`, whose query may hold `options`.

        Raise ValueError that says what was expected.
        """
        scheme = text.partition("://")[0].lower()
        url = _split(text, scheme)
        given = dict(parse_qsl(url.query, keep_blank_values=True))
        for name in given:
            if name not in options:
                raise ValueError(f"expected no option but {', '.join(options)}, got {name[:40]!r}")
        host = url.hostname or ""
        return cls(scheme=scheme, host=_ALL.get(host, host), port=url.port or 0, options=given)

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{self._place}"

    @property
    def address(self) -> str:
        """What ZeroMQ calls it."""
        return f"tcp://{self._place}"

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can get at it, where it is listened to."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choose(options: Mapping[str, str], name: str, *choices: str) -> str:
    """Return what an option says, by default the first of `choices`; raise ValueError."""
    value = options.get(name, choices[0])
    if value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(choices)}, got {value[:40]!r}")
    return value


def _split(text: str, scheme: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_good = bool(url.hostname) and bool(url.port) and url.path in ("", "/")
        is_good &= url.username is None and not url.fragment
    except ValueError:  # a port that is no number, half an IPv6 address
        is_good = False
    if not is_good or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"expected {scheme}://HOST:PORT, special characters as %XX")
    return url
