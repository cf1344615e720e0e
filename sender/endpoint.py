"""Endpoint: where a camera's frames go over HTTP, and in which form of the contract."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Literal

from sender.picture import Form
from shared import wire
from shared.frame import EncodedFrame
from shared.http_client import Reply
from shared.url import HttpUrl

Encoding = Literal["raw", "base64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One URL to POST to. The token is in no repr."""

    host: str
    port: int
    tls: bool
    #: Path and query, as they stand in the request.
    target: str
    #: Scheme, host and port, for people.
    shown: str
    #: The same for many frames in one POST; None where only `target` is known to be there.
    stream: str | None = None
    encoding: Encoding = "raw"
    #: What is sent: a picture, or its pixels.
    form: Form = "jpeg"
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
        every: bool = False,
    ) -> Endpoint:
        """Read `to`: a base URL, which gets our route, or a URL with a path, used as it stands.

        `{camera}` in a path becomes the camera's name. `every`: our route is asked to process each
        frame. Raise ValueError when it is no such URL.
        """
        url = HttpUrl.parse(to)
        is_base = url.path in ("", "/")
        path = f"/cameras/{camera}/frames" if is_base else url.path
        query = f"?{url.query}" if url.query else ""
        mode = f"{'&' if query else '?'}mode=every" if every and is_base else ""
        target = path + query + mode
        return cls(
            host=url.host,
            port=url.port,
            tls=url.tls,
            target=target.replace("{camera}", camera),
            shown=url.origin,
            stream=f"/cameras/{camera}/stream{query}" if is_base else None,
            encoding=encoding,
            digest=digest,
            authorization=f"Bearer {token}" if token else url.authorization,
        )

    def describe(self, reply: Reply) -> str:
        """Say what a refusal was, in the server's own first words, and what a person can do."""
        if 300 <= reply.status < 400:
            where = reply.headers.get("Location", "nowhere")[:200]
            what = f"redirects to {where!r} ({reply.status}); name that URL in --to if it is meant"
            return f"{self.shown} {what}"
        said = f"{self.shown} refuses frames ({reply.status}): {self.hide(reply.words)!r}"
        return said + self.advice(reply.status)

    def advice(self, status: int) -> str:
        """Return what a person can do about a refusal, to go behind it; "" where nobody knows."""
        if status == 401:
            what = "give its token" if self.authorization is None else "give the right token"
            return f"; {what} in SENDER_TOKEN or --token"
        return "; its token has to allow it" if status == 403 and self.authorization else ""

    def hide(self, text: str) -> str:
        """Return `text` without the token, which a server may well say back to us."""
        secret = (self.authorization or "").partition(" ")[2]
        if not secret:
            return text
        # The second form is how it stands in a repr.
        return text.replace(secret, "***").replace(repr(secret)[1:-1], "***")

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


def _quote(encoded: bytes) -> bytes:
    # All that base64 has to escape in a form; urlencode takes forty times as long.
    return encoded.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")
