"""The envelope on the wire: which HTTP headers carry which facts about a frame.

Sender and receiver both go through this file, so a header has one name and one form.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import time
from dataclasses import dataclass
from typing import Protocol

from shared.clock import Exchange
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.traceparent import TraceParent

EPOCH = "X-Frame-Epoch"
SEQ = "X-Frame-Seq"
CAPTURED_AT = "X-Timestamp"
SENT_AT = "X-Sent-At"
#: RFC 9530.
DIGEST = "Content-Digest"
#: "1" on a frame that may have come before, see `EncodedFrame.redelivered`.
REDELIVERED = "X-Frame-Redelivered"
RECEIVED_AT = "X-Received-At"
REPLIED_AT = "X-Replied-At"
#: The times of the client's exchange before this one.
LAST_EXCHANGE = "X-Last-Exchange"
#: What the receiver can use, see `shared.control`.
CONTROL = "X-Frame-Control"
#: W3C Trace Context.
TRACE = "traceparent"

MAX_SEQ = 2**63 - 1
_EPOCH_FORM = re.compile(r"[\x21-\x7e]{1,64}")
_SEQ_FORM = re.compile(r"[0-9]{1,19}", re.ASCII)
_TIME_FORM = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_EXCHANGE = ("sent", "received", "replied", "seen")
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):\s*(?:,|$)")


class Headers(Protocol):
    """Any library's headers: looked up by name, without regard to case."""

    def get(self, key: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a client said about its frame; None where it said nothing. Times are Unix seconds."""

    epoch: str | None = None
    seq: int | None = None
    captured_at: float | None = None
    sent_at: float | None = None
    #: SHA-256 of the body.
    digest: bytes | None = None
    #: The exchange before this one, as the client saw it.
    exchange: Exchange | None = None
    #: Its place in a trace, see `shared.traceparent`.
    trace: str | None = None
    #: It may have come before.
    redelivered: bool = False


def to_headers(frame: EncodedFrame, *, digest: bool = False) -> dict[str, str]:
    """Return the headers that carry `frame`'s facts, as sent now."""
    headers = {
        "Content-Type": frame.media_type,
        EPOCH: frame.epoch,
        SEQ: str(frame.seq),
        CAPTURED_AT: format_time(frame.captured_at),
        SENT_AT: format_time(time.time()),
    }
    if frame.trace is not None:
        headers[TRACE] = frame.trace
    if frame.redelivered:
        headers[REDELIVERED] = "1"
    if digest:
        headers[DIGEST] = (
            f"sha-256=:{base64.b64encode(hashlib.sha256(frame.data).digest()).decode()}:"
        )
    return headers


def from_headers(headers: Headers) -> Envelope:
    """Read the facts; raise FrameError (400) that names the header with a bad value."""
    epoch = headers.get(EPOCH)
    if epoch is not None and not _EPOCH_FORM.fullmatch(epoch):
        raise _bad(EPOCH, "1 to 64 printable characters without spaces", epoch)
    return Envelope(
        epoch=epoch,
        seq=_read_seq(headers.get(SEQ)),
        captured_at=_read_time(CAPTURED_AT, headers.get(CAPTURED_AT)),
        sent_at=_read_time(SENT_AT, headers.get(SENT_AT)),
        digest=_read_digest(headers.get(DIGEST)),
        exchange=_read_exchange(headers.get(LAST_EXCHANGE)),
        trace=_read_trace(headers.get(TRACE)),
        redelivered=_read_redelivered(headers.get(REDELIVERED)),
    )


def reply_times(headers: Headers) -> tuple[float, float] | None:
    """Return when the receiver had the request and when it replied; None where it does not say."""
    try:
        received = _read_time(RECEIVED_AT, headers.get(RECEIVED_AT))
        replied = _read_time(REPLIED_AT, headers.get(REPLIED_AT))
    except FrameError:  # another program's, that means something else by them
        return None
    return None if received is None or replied is None else (received, replied)


def check_digest(envelope: Envelope, body: bytes) -> None:
    """Raise FrameError (422) unless `body` is what the client's digest, if any, was made from."""
    if envelope.digest is not None and hashlib.sha256(body).digest() != envelope.digest:
        raise FrameError(
            f"{DIGEST}: the {len(body)} bytes that came have another SHA-256",
            status=422,
            reason="digest",
        )


def format_time(seconds: float) -> str:
    """Return Unix seconds with microseconds, as the time headers carry them."""
    return f"{seconds:.6f}"


def format_exchange(exchange: Exchange) -> str:
    """Return the exchange as LAST_EXCHANGE carries it."""
    return "; ".join(f"{name}={format_time(getattr(exchange, name))}" for name in _EXCHANGE)


def _read_seq(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SEQ_FORM.fullmatch(text) or int(text) > MAX_SEQ:
        raise _bad(SEQ, f"a whole number from 0 to {MAX_SEQ}", text)
    return int(text)


def _read_time(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    if not _TIME_FORM.fullmatch(text) or not math.isfinite(float(text)):
        raise _bad(name, "Unix seconds such as 1700000000.123456", text)
    return float(text)


def _read_exchange(text: str | None) -> Exchange | None:
    if text is None:
        return None
    pairs = [part.strip().partition("=") for part in text.split(";")]
    times = {name: value for name, _, value in pairs if _TIME_FORM.fullmatch(value)}
    if len(pairs) != len(_EXCHANGE) or set(times) != set(_EXCHANGE):
        raise _bad(LAST_EXCHANGE, "sent=S; received=R; replied=P; seen=T in Unix seconds", text)
    return Exchange(**{name: float(value) for name, value in times.items()})


def _read_trace(text: str | None) -> str | None:
    # A malformed one is ignored, as the specification has it.
    return None if text is None or TraceParent.parse(text) is None else text


def _read_redelivered(text: str | None) -> bool:
    if text not in (None, "1"):
        raise _bad(REDELIVERED, "1, or no such header", text)
    return text is not None


def _read_digest(text: str | None) -> bytes | None:
    if text is None:
        return None
    found = _SHA256.search(text)
    if found is None:
        # RFC 9530, section 2: a recipient ignores algorithms that it does not know.
        if re.match(r"\s*[a-z0-9*.-]+=:", text) and "sha-256=" not in text:
            return None
        raise _bad(DIGEST, "sha-256=:BASE64:", text)
    try:
        digest = base64.b64decode(found[1], validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise _bad(DIGEST, "sha-256=:BASE64: of 32 bytes", text)
    return digest


def _bad(header: str, expected: str, got: str) -> FrameError:
    return FrameError(
        f"{header}: expected {expected}, got {got[:80]!r}", status=400, reason="header"
    )
