"""FarReceiver: a receiver anywhere, asked over HTTP how its cameras and hooks do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from receiver.top.look import Look, read_look
from shared.errors import FramepostError
from shared.http_client import HttpClient, NoReply, Reply
from shared.url import HttpUrl

_DEADLINE = 4.0
#: 128 cameras whose newest results are large.
_MAX_REPLY = 64 << 20


class NoLook(FramepostError):
    """Raised when the receiver did not say how things are; it is one sentence."""


class NoReceiver(NoLook):
    """Raised when something answered that is no receiver, or lets nobody look: it stays so."""


class FarReceiver:
    """For one thread. Keeps one connection, and the last look for the rates of the next."""

    def __init__(
        self,
        url: HttpUrl,
        *,
        token: str | None = None,
        deadline: float = _DEADLINE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deadline` is seconds for each request and its reply."""
        self.shown = url.origin
        self._base = url.path.rstrip("/")
        self._clock = clock
        authorization = f"Bearer {token}" if token else url.authorization
        self._headers = {"Accept": "application/json"}
        if authorization:
            self._headers["Authorization"] = authorization
        self._client = HttpClient(
            url.host, url.port, tls=url.tls, deadline=deadline, max_reply=_MAX_REPLY
        )
        self._before: Look | None = None

    def look(self) -> Look:
        """Ask how things are now; raise NoLook, or NoReceiver where trying again is of no use."""
        cameras, hooks = self._list("cameras"), self._list("hooks")
        try:
            look = read_look(cameras, hooks, at=self._clock(), before=self._before)
        except (TypeError, ValueError, KeyError, AttributeError) as exc:
            raise NoReceiver(
                f"{self.shown}: answers as no receiver of this version: {exc!r}"
            ) from None
        self._before = look
        return look

    def close(self) -> None:
        self._client.close()

    def _list(self, what: str) -> list[Any]:
        target = f"{self._base}/{what}"
        try:
            reply = self._client.get(target, self._headers)
        except NoReply as exc:
            raise NoLook(f"{self.shown}: {exc}") from None
        if reply.status in (401, 403):
            raise NoReceiver(
                f"{self.shown}: {_words(reply)}; give a token that may view with --token or in "
                "FRAMEPOST_TOKEN"
            )
        try:
            found = json.loads(reply.body)[what] if reply.status == 200 else None
        except (ValueError, TypeError, KeyError):
            found = None
        if not isinstance(found, list):
            raise NoReceiver(
                f"{self.shown}: expected a Framepost receiver, but GET {target} answers "
                f"{_words(reply)}"
            )
        return found


def _words(reply: Reply) -> str:
    try:
        return f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        return str(reply.status)
