"""HttpUrl: where something is posted to, taken apart."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUrl:
    """An http or https URL. What is secret in it is in no repr."""

    host: str
    port: int
    tls: bool
    path: str = field(repr=False)
    query: str = field(default="", repr=False)
    #: The value of an Authorization header, where the URL names a user.
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> HttpUrl:
        """Raise ValueError that says what was expected. A fragment (#...) is left out."""
        url = _split(text)
        tls = url.scheme == "https"
        authorization = None
        if url.username is not None:
            pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return cls(
            host=url.hostname or "",
            port=url.port or (443 if tls else 80),
            tls=tls,
            path=url.path,
            query=url.query,
            authorization=authorization,
        )

    @property
    def target(self) -> str:
        """Path and query, as they stand in a request."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    @property
    def origin(self) -> str:
        """Scheme, host and port, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        (url.hostname or "").encode("idna")
    except ValueError:  # a port that is no number, half an IPv6 address, a host such as a..b
        is_good = False
    if not is_good or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected http://HOST:PORT or https://HOST:PORT, with or without a path")
    return url
