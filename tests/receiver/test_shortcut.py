"""Plain pictures are taken before Flask, and nobody can tell by the answer."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse, create_environ

from receiver import ingest
from receiver.control import Controls
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.shortcut import RAISED, Shortcut
from shared import codec, pattern, wire
from shared.control import Control
from tests.receiver.conftest import MAX_BYTES

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
PIXELS = pattern.draw(3, 64, 48).tobytes()
ROUTE = "/cameras/cam1/frames"
#: The same request, which then is the application's.
LONG_WAY = ROUTE + "?mode=latest"


class Behind:
    """An application behind the shortcut, which keeps what comes to it."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.environs.append(environ)
        start_response("418 I'M A TEAPOT", [])
        return [b"behind"]


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def shortcut(behind: Behind, desk: Desk) -> Shortcut:
    answer = partial(ingest.take_bare, desk, max_bytes=MAX_BYTES, wish=lambda camera: None)
    return Shortcut(behind, answer, route="/cameras/<camera>/frames")


def call(shortcut: Shortcut, **given: Any) -> tuple[str, Iterable[bytes]]:
    """Return the status line and the body as the server gets them."""
    given = {
        "method": "POST",
        "path": ROUTE,
        "data": JPEG,
        "content_type": "image/jpeg",
    } | given
    told: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        told.append(status)

    body = shortcut(create_environ(**given), start)
    return told[0], body


def post(client: FlaskClient, route: str, given: dict[str, Any]) -> TestResponse:
    return client.post(route, **{"data": JPEG, "content_type": "image/jpeg"} | given)


@pytest.mark.parametrize("kind", ["image/jpeg", "IMAGE/PNG", "image/jpeg; name=a.jpg"])
def test_a_plain_picture_does_not_come_to_the_application(
    shortcut: Shortcut, behind: Behind, hub: Hub, kind: str
) -> None:
    status, body = call(shortcut, content_type=kind)

    assert status == "202 Accepted"
    # The server sends a list in one piece, and takes a thread's time for each piece of the rest.
    assert isinstance(body, list)
    assert behind.environs == []
    assert [camera.name for camera in hub.cameras()] == ["cam1"]


@pytest.mark.parametrize(
    "given",
    [
        {"method": "PUT"},
        {"path": "/cameras/cam1/stream"},
        {"path": "/cameras/cam1/frames/"},
        {"environ_overrides": {"PATH_INFO": "/cameras/cam1/frames\n"}},
        {"path": "/cameras/-x/frames"},
        {"path": "/x/cameras/cam1/frames"},
        {"query_string": "mode=every"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=b"},
        {"content_type": "application/json"},
        {"content_type": None},
    ],
)
def test_all_else_is_the_applications(
    shortcut: Shortcut, behind: Behind, hub: Hub, given: dict[str, Any]
) -> None:
    status, body = call(shortcut, **given)

    assert (status, list(body)) == ("418 I'M A TEAPOT", [b"behind"])
    assert RAISED not in behind.environs[0]
    assert behind.environs[0]["wsgi.input"].read(-1) == JPEG
    assert hub.cameras() == []


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


ENVELOPE = {wire.EPOCH: "e", wire.SEQ: "7", wire.CAPTURED_AT: "1700000000.25"}
#: Exchange and time of sending, as a sender tells them.
TIMES = {
    wire.SENT_AT: "1700000000.5",
    wire.LAST_EXCHANGE: "sent=1.0; received=2.0; replied=2.1; seen=1.2",
}
REQUESTS: dict[str, dict[str, Any]] = {
    "picture": {},
    "envelope": {"headers": ENVELOPE | TIMES},
    "digest": {"headers": {wire.DIGEST: digest(JPEG)}},
    "raw pixels": {"data": PIXELS, "content_type": "application/x-raw-bgr; width=64; height=48"},
    "wait without a hook": {"headers": {"Prefer": "wait=5"}},
    "padded": {"data": JPEG + bytes(9)},
    "no picture": {"data": b"hello"},
    "empty": {"data": b""},
    "truncated": {"data": JPEG[:-9]},
    "too large": {"data": JPEG + bytes(MAX_BYTES)},
    "wrong digest": {"headers": {wire.DIGEST: digest(b"other")}},
    "bad seq": {"headers": {wire.SEQ: "-1"}},
    "bad epoch": {"headers": {wire.EPOCH: "a b"}},
    "bad time": {"headers": {wire.SENT_AT: "now"}},
    "bad exchange": {"headers": {wire.LAST_EXCHANGE: "sent=1"}},
    "bad wait": {"headers": {"Prefer": "wait=soon"}},
    "bad layout": {"data": PIXELS, "content_type": "application/x-raw-bgr; width=x; height=48"},
    "wrong size": {
        "data": PIXELS[1:],
        "content_type": "application/x-raw-bgr; width=64; height=48",
    },
    "short": {"input_stream": io.BytesIO(JPEG), "environ_overrides": {"CONTENT_LENGTH": "9999"}},
    "without a length": {
        "input_stream": io.BytesIO(JPEG),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True},
    },
}


@pytest.mark.parametrize("case", REQUESTS)
def test_both_ways_take_and_refuse_alike(
    case: str, client: FlaskClient, hub: Hub, controls: Controls
) -> None:
    given = REQUESTS[case]
    is_numbered = wire.SEQ in given.get("headers", {})
    controls.put("cam1", Control(fps=5))

    def tell(route: str) -> list[Any]:
        if "input_stream" in given:
            given["input_stream"].seek(0)
            given["data"] = None
        answer = post(client, route, given)
        content = answer.get_json()
        if not is_numbered:
            content.pop("seq", None)
        return [answer.status_code, answer.mimetype, sorted(answer.headers.keys()), content]

    status, *short = tell(ROUTE)
    again, *long = tell(LONG_WAY)

    assert status == again
    assert short == long
    assert wire.CONTROL in short[1]
    assert sum(hub.refused().values()) == (2 if status >= 400 else 0)


def test_what_is_wrong_is_told_by_the_application(
    shortcut: Shortcut, behind: Behind, hub: Hub
) -> None:
    status, _ = call(shortcut, data=JPEG[:-9])

    assert status.startswith("418")
    assert "cut off" in str(behind.environs[0][RAISED])
    assert hub.refused() == {("", "truncated"): 1}


def test_a_bug_on_the_short_way_is_told_and_logged_as_any(
    client: FlaskClient,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def take(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(desk, "take", take)
    with caplog.at_level(logging.ERROR):
        answer = post(client, ROUTE, {})

    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert "ZeroDivisionError: oops" in caplog.text
