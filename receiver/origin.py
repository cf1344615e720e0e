"""Origin: keeps pages of other sites from changing anything here by a browser's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.errors import FrameError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def check_origin(environ: WSGIEnvironment) -> None:
    """Raise FrameError (403) for a request that a page of another site makes.

    A browser says with every POST whose page sends it (RFC 6454, section 7; "null" where it keeps
    that to itself), and no page can change that. Programs say nothing. The scheme may be another:
    a balancer that ends TLS leaves it to us to guess.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return
    try:
        site = urlsplit(origin).netloc.lower()
    except ValueError:
        site = ""
    host = environ.get("HTTP_HOST", "").lower()
    if not site or site != host:
        raise FrameError(
            f"origin: expected a program or the receiver's own page at {host[:200]}, "
            f"got a page of {origin[:200]!r}",
            status=403,
            reason="origin",
        )
