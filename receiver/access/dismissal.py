"""Dismissal: how a request is turned away in front of the application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from receiver.body import discard
from shared.access.refusal import Refusal
from shared.access.refusals import Refusals
from shared.redact import redact
from shared.seats import Seats

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Threads that may read on what is not wanted.
_READERS = 16
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Dismissal:
    """Any thread."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._readers = Seats(_READERS)

    def answer(
        self, refusal: Refusal, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Count the refusal, tell of it, and answer with it.

        The body is read first, for who still sends when the connection ends may not see why. But
        those who send slowly do not get many threads for that.
        """
        asked = redact(f"{environ['REQUEST_METHOD'][:16]} {environ['PATH_INFO'][:200]!a}")
        address = environ.get("REMOTE_ADDR", "an unknown address")
        # So players and browsers begin that have a password, and then come again with it.
        is_usual = refusal.reason == "missing" and environ["REQUEST_METHOD"] in _SAFE
        self._refusals.happened(
            address, refusal.reason, f"{asked}: {refusal.detail}", quiet=is_usual
        )
        leave = self._readers.take()
        if leave is not None:
            try:
                discard(environ)
            finally:
                leave()
        return refusal.response(environ)(environ, start_response)
