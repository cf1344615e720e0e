"""One POST for each picture, in the forms that a body may have."""

from __future__ import annotations

import base64
import time

import requests
from framepost_client import Client

from benchmarks.callers.contract import Shot, check

_WAIT = 10.0


class Post:
    """Our Python client, with a JPEG or with raw pixels."""

    def __init__(self, url: str, *, raw: bool = False) -> None:
        self._client = Client(url, "raw" if raw else "jpeg")
        self._raw = raw

    def call(self, shot: Shot) -> float:
        started = time.perf_counter()
        if self._raw:
            height, width = shot.image.shape[:2]
            kind = f"application/x-raw-bgr; width={width}; height={height}"
            reply = self._client.send(
                shot.image.tobytes(), content_type=kind, wait=_WAIT, every=True
            )
        else:
            reply = self._client.send(shot.jpeg, wait=_WAIT, every=True)
        seconds = time.perf_counter() - started
        check(shot, reply.result)
        return seconds

    def close(self) -> None:
        self._client.close()


class Base64Form:
    """The classic form, base64 in the field `img`; with `kept` on one connection.

    As tutorials write it there is a new connection for each picture.
    """

    def __init__(self, url: str, *, kept: bool) -> None:
        self._url = f"{url}/cameras/form/frames?mode=every"
        self._session = requests.Session() if kept else None

    def call(self, shot: Shot) -> float:
        started = time.perf_counter()
        post = requests.post if self._session is None else self._session.post
        reply = post(
            self._url,
            data={"img": base64.b64encode(shot.jpeg).decode()},
            headers={"Prefer": f"wait={_WAIT:g}"},
            timeout=_WAIT,
        )
        answer = reply.json()
        seconds = time.perf_counter() - started
        check(shot, answer["result"])
        return seconds

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
