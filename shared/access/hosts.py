"""Hosts: the names under which a receiver answers that asks nobody for a token.

There the browser of anybody in the network is a way in: a page of a strange site lets its own name
point to the receiver's address, and reads it as if it were its own site (DNS rebinding). Such a
name is one of the public DNS, and the browser says it in the Host header (RFC 9110, section 7.2).
With tokens nothing is to be had in this way, for the browser has none for that name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from shared.access.refusal import Refusal
from shared.access.refusals import Refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Nobody can have a name below these in the public DNS: RFC 6761, 6762, 8375, ICANN's `internal`,
#: and what networks use that were there before.
_LOCAL = (
    *("localhost", "local", "internal", "home.arpa", "test"),
    *("lan", "home", "corp", "intranet", "localdomain"),
)
_FORM = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/@]+)(:[0-9]*)?")
#: Headers that were looked at before.
_KNOWN = 256


class Hosts:
    """Stands in front of the application. Any thread."""

    def __init__(
        self,
        app: WSGIApplication,
        allowed: Collection[str],
        *,
        refusals: Refusals,
        remedy: str = "one given by --allow-host",
    ) -> None:
        """`allowed` are its public names; `remedy` says how another name would do."""
        self._remedy = remedy
        self._app = app
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)
        self._refusals = refusals
        self._known: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if host not in self._known:
            if not self.answers_to(host):
                return self._refuse(host, environ, start_response)
            if len(self._known) < _KNOWN:
                self._known.add(host)
        return self._app(environ, start_response)

    def answers_to(self, host: str) -> bool:
        """Say whether the Host header, "" for none, names this receiver."""
        if not host:  # an old program; no browser
            return True
        found = _FORM.fullmatch(host)
        if found is None:
            return False
        name = found[1].lower().rstrip(".")
        if (
            "." not in name
            or name in self._allowed
            or name.endswith(tuple(f".{s}" for s in _LOCAL))
        ):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _refuse(
        self, host: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        sentence = (
            f"Host: expected an address, a name of the local network or {self._remedy}, "
            f"got {host[:80]!a}"
        )
        self._refusals.happened(environ.get("REMOTE_ADDR", "an unknown address"), "host", sentence)
        return Refusal(421, "host", sentence).response(environ)(environ, start_response)
