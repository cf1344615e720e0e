"""Body: a request's bytes, whole and no longer compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from receiver.body import read_bytes
from shared import wire
from shared.errors import FrameError
from shared.wire import Envelope

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Either of zlib's and gzip's headers; what HTTP calls deflate has zlib's.
_WBITS = 15 + 32
_NOTHING_SAID = Envelope()


def read(environ: WSGIEnvironment, *, limit: int, envelope: Envelope = _NOTHING_SAID) -> bytes:
    """Return the body; raise FrameError (400, 411, 413, 415, and 422 for a wrong digest).

    `limit` is in bytes, both for what comes and for what it is when it has been inflated.
    """
    body = read_bytes(environ, limit=limit)
    wire.check_digest(envelope, body)
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding in ("identity", ""):
        return body
    if encoding not in ("gzip", "deflate"):
        raise FrameError(
            f"Content-Encoding: expected gzip or deflate, got {encoding[:80]!r}",
            status=415,
            reason="format",
        )
    return _inflate(body, encoding, limit)


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    inflater = zlib.decompressobj(_WBITS)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error as exc:
        raise _broken(encoding, str(exc)) from None
    if len(inflated) > limit:
        raise FrameError(
            f"body: expected at most {limit} bytes, got more when inflated",
            status=413,
            reason="too_large",
        )
    if not inflater.eof or inflater.unused_data:
        raise _broken(encoding, "it is cut off" if not inflater.eof else "more follows its end")
    return inflated


def _broken(encoding: str, why: str) -> FrameError:
    return FrameError(f"body: the {encoding} data are broken ({why})", status=400, reason="corrupt")
