"""Endpoint: where a camera's frames go, and in which form of the contract."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from shared import wire
from shared.frame import EncodedFrame

Encoding = Literal["raw", "base64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One URL to POST to. The token is in no repr."""

    host: str
    port: int
    tls: bool
    #: Path and query, as they stand in the request.
    target: str
    encoding: Encoding = "raw"
    digest: bool = False
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls,
        to: str,
        camera: str,
        *,
        encoding: Encoding = "raw",
        digest: bool = False,
        token: str | None = None,
    ) -> Endpoint:
        """Read `to`: a base URL, which gets our route, or a URL with a path, used as it stands.

        `{camera}` in a path becomes the camera's name. Raise ValueError when it is no such URL.
        """
        url = check_url(to)
        tls = url.scheme == "https"
        path = f"/cameras/{camera}/frames" if url.path in ("", "/") else url.path
        target = path + (f"?{url.query}" if url.query else "")
        authorization = f"Bearer {token}" if token else None
        if authorization is None and url.username is not None:
            pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return cls(
            host=url.hostname or "",
            port=url.port or (443 if tls else 80),
            tls=tls,
            target=target.replace("{camera}", camera),
            encoding=encoding,
            digest=digest,
            authorization=authorization,
        )

    @property
    def shown(self) -> str:
        """Scheme, host and port, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def request(self, frame: EncodedFrame) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body that carry `frame`, as sent now."""
        headers = wire.to_headers(frame, digest=self.digest)
        headers["User-Agent"] = "framepost-sender"
        if self.authorization is not None:
            headers["Authorization"] = self.authorization
        if self.encoding == "raw":
            return headers, frame.data
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers, b"img=" + _quote(base64.b64encode(frame.data))


def check_url(to: str) -> SplitResult:
    """Return the parts of an http or https URL; raise ValueError that says what was expected."""
    try:
        url = urlsplit(to)
        is_good = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        (url.hostname or "").encode("idna")
    except ValueError:  # a port that is no number, half an IPv6 address, a host such as a..b
        is_good = False
    if not is_good or not to.isascii() or not to.isprintable() or " " in to:
        raise ValueError("expected http://HOST:PORT or https://HOST:PORT, with or without a path")
    return url


def _quote(encoded: bytes) -> bytes:
    # All that base64 has to escape in a form; urlencode takes forty times as long.
    return encoded.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
