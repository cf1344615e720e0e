"""Address: the URL of a camera, taken apart the way that people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from shared.errors import ConfigError
from shared.redact import redact

_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s\[\]:@/]+)(?::\d{0,5})?")
#: With a port, or an address, or a name with a dot; a path may go on with "@2".
_PLAINLY_A_HOST = re.compile(
    r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|localhost|[A-Za-z0-9-]+(?=:\d))"
    r"(?::\d{1,5})?(?=[/?#]|$)"
)


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A URL with its user and password set apart, so that no message shows them by mistake."""

    scheme: str
    #: Host, and port where one was given, as in a URL.
    place: str
    #: Path and query, from the first "/", "?" or "#" on.
    path: str
    user: str | None = None
    password: str | None = None

    @property
    def host(self) -> str:
        """The host without port and brackets."""
        return urlsplit(f"//{self.place}").hostname or ""

    @property
    def bare(self) -> str:
        """The URL without user and password."""
        return f"{self.scheme}://{self.place}{self.path}"

    @property
    def shown(self) -> str:
        """The URL for people, without anything secret."""
        return redact(self.bare)

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @property
    def full(self) -> str:
        """The URL with user and password, percent-encoded."""
        if self.user is None:
            return self.bare
        password = "" if self.password is None else ":" + quote(self.password, safe="")
        return f"{self.scheme}://{quote(self.user, safe='')}{password}@{self.place}{self.path}"


def parse(url: str) -> Address:
    """Take `url` apart; raise ConfigError when it names no host or no valid port.

    User and password may be percent-encoded, as a URL wants it, or raw. Where a raw password has an
    "@" or a "/" in it, its end is the last "@" before what is plainly a host.
    """
    scheme, _, rest = url.partition("://")
    at = _end_of_login(rest)
    userinfo, rest = (rest[:at], rest[at + 1 :]) if at >= 0 else (None, rest)
    path_at = _authority_end(rest)
    place, path = rest[:path_at], rest[path_at:]
    scheme = scheme.lower()
    try:
        parts = urlsplit(f"{scheme}://{place}")
        usable = bool(_PLACE.fullmatch(place) and parts.hostname and parts.port != 0)
        (parts.hostname or "").encode("idna")  # a label that is empty or too long
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"expected {scheme}://[USER:PASSWORD@]HOST[:PORT]/..., got a URL that names "
            "no host and port in that form (percent-encode the password)"
        )
    if userinfo is None:
        return Address(scheme, place, path)
    user, colon, password = userinfo.partition(":")
    return Address(scheme, place, path, unquote(user), unquote(password) if colon else None)


def _end_of_login(rest: str) -> int:
    """Return where the "@" is that ends user and password, or -1."""
    end = _authority_end(rest)
    at = rest.rfind("@", 0, end)
    last = rest.rfind("@")
    if last == at:
        return at
    if at < 0 and _PLACE.fullmatch(rest, 0, end):
        return -1  # an "@" in the path
    if at < 0 or _PLAINLY_A_HOST.match(rest, last + 1):
        return last
    return at


def _authority_end(rest: str) -> int:
    return min((rest.find(sign) for sign in "/?#" if sign in rest), default=len(rest))
