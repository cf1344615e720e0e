"""Proxies: the address of the client for whom a proxy asks that is to be believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HEADER = "HTTP_X_FORWARDED_FOR"
#: Proxies behind each other; of a longer list only the end is read.
_LONGEST = 16
_REMEMBERED = 1024


class Proxies:
    """Stands in front of all that looks at addresses. Any thread.

    Each proxy adds, at the end of X-Forwarded-For, who asked it. So the list is read from its end,
    and its first address that is no proxy of ours is the client: what stands before that, the
    client may have said itself.
    """

    def __init__(self, app: WSGIApplication, trusted: Collection[str]) -> None:
        """`trusted` are addresses and networks; raise ValueError where one is none."""
        self._app = app
        self._networks = [ipaddress.ip_network(one, strict=False) for one in trusted]
        self._trusts = lru_cache(_REMEMBERED)(self._look_up)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        said = environ.get(_HEADER)
        if said is not None:
            environ["REMOTE_ADDR"] = self.client(environ.get("REMOTE_ADDR", ""), said)
        return self._app(environ, start_response)

    def client(self, peer: str, said: str) -> str:
        """Return the client of a request that came from `peer` with this X-Forwarded-For."""
        for entry in reversed(said.rsplit(",", _LONGEST)[-_LONGEST:]):
            if not self._trusts(peer):
                break
            address = entry.strip()
            if not _is_address(address):  # a name, or somebody's invention
                break
            peer = address
        return peer

    def _look_up(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._networks)


@lru_cache(_REMEMBERED)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
