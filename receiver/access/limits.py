"""Limits: how many requests and frames a second each client address may bring."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from werkzeug.routing import Map

from receiver.access.dismissal import Dismissal
from receiver.access.needs import Needs
from receiver.access.rate import Rate
from receiver.parts import ALLOW
from shared.access.network import network_of
from shared.access.refusal import Refusal
from shared.access.refusals import Refusals
from shared.errors import FrameError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: In a row: two seconds' worth, but at least as many requests as opening the page takes, and as
#: many frames as the cameras of one sender bring at once.
_SECONDS, _REQUESTS, _FRAMES = 2.0, 100, 16
#: A supervisor must not kill what somebody floods.
_HEALTH = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
#: Routes by method and path that are remembered, and how long such a path may be.
_REMEMBERED, _LONGEST = 1024, 200
_Kind = Literal["health", "request", "frame", "stream"]


class Limits:
    """A WSGI application in front of the gate, so that strangers are bounded too. Any thread.

    What brings frames has a limit of its own: whatever is posted and needs the role `ingest`. Each
    frame of a stream counts. Asking for health does not.
    """

    def __init__(
        self,
        app: WSGIApplication,
        routes: Map,
        *,
        requests: float | None,
        frames: float | None,
        refusals: Refusals,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`routes` are those of `app`; both limits are a second and address, None for none."""
        self._app = app
        self._needs = Needs(routes)
        self._remembered = lru_cache(_REMEMBERED)(self._find)
        taking = _rate(frames, at_least=_FRAMES, clock=clock)
        asking = _rate(requests, at_least=_REQUESTS, clock=clock)
        self._rates: dict[_Kind, Rate | None] = {
            "health": None,
            "request": asking,
            "frame": taking,
            "stream": taking,
        }
        self._dismissal = Dismissal(refusals)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        find = self._remembered if len(path) <= _LONGEST else self._find
        kind = find(environ["REQUEST_METHOD"], path)
        rate = self._rates[kind]
        if rate is None:
            return self._app(environ, start_response)
        network = network_of(environ.get("REMOTE_ADDR", ""))
        wait = rate.take(network)
        if wait:
            seconds = math.ceil(wait)
            sentence = f"{_sentence(rate, kind)}; try again in {seconds} s"
            refusal = Refusal(429, "rate", sentence, wait=seconds)
            return self._dismissal.answer(refusal, environ, start_response)
        if kind == "stream":

            def allow() -> None:
                if rate.take(network):
                    raise FrameError(_sentence(rate, kind), status=429, reason="rate")

            environ[ALLOW] = allow
        return self._app(environ, start_response)

    def _find(self, method: str, path: str) -> _Kind:
        if path in _HEALTH:
            return "health"
        if method != "POST" or self._needs.of(method, path, "").level != "ingest":
            return "request"
        return "stream" if path.endswith("/stream") else "frame"


def _rate(per_second: float | None, *, at_least: float, clock: Callable[[], float]) -> Rate | None:
    if per_second is None:
        return None
    return Rate(per_second, burst=max(at_least, _SECONDS * per_second), clock=clock)


def _sentence(rate: Rate, kind: _Kind) -> str:
    what = "requests" if kind == "request" else "frames"
    return f"{what}: expected at most {rate.per_second:g} a second from one address, got more"
