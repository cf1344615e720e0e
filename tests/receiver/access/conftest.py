"""The gate before an application that says 418 to whoever is let in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Map
from werkzeug.test import Client, TestResponse

from receiver import stream
from receiver.__main__ import Receiver as Service
from receiver.access.access import Access
from receiver.access.gate import Gate
from receiver.app import create_app
from receiver.config import ReceiverConfig
from receiver.desk import Desk
from receiver.hub import Hub
from shared.access.bearers import Bearers
from shared.access.refusals import Refusals
from shared.access.tokens import Tokens
from shared.seats import Seats
from tests.shared.access.tokens import GRANTED

LET_IN = 418


class Behind:
    """An application that keeps what comes to it."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.reply: Iterable[bytes] = [b"behind"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.environs.append(environ)
        start_response(f"{LET_IN} I'M A TEAPOT", [])
        return self.reply


@pytest.fixture(scope="session")
def routes() -> Map:
    """The receiver's own."""
    return Service(ReceiverConfig.load([])).app.url_map


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(GRANTED)


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def gate(behind: Behind, routes: Map, tokens: Tokens, refusals: Refusals) -> Gate:
    return Gate(behind, routes, tokens=tokens, bearers=Bearers(tokens), refusals=refusals)


class Visitor:
    """Asks at the gate."""

    def __init__(self, gate: Gate) -> None:
        self._client = Client(gate)

    def ask(self, route: str, headers: dict[str, str] | None = None, **given: Any) -> TestResponse:
        """Ask for `route`, such as "GET /cameras?x=1"; the path comes as it is."""
        method, _, target = route.partition(" ")
        path, _, query = target.partition("?")
        overrides = {"REMOTE_ADDR": "192.0.2.7", "PATH_INFO": path, "QUERY_STRING": query}
        return self._client.open(
            method=method, headers=headers, environ_overrides=overrides, **given
        )

    def status(self, route: str, headers: dict[str, str] | None = None, **given: Any) -> int:
        with self.ask(route, headers, **given) as response:
            return response.status_code


@pytest.fixture
def visitor(gate: Gate) -> Visitor:
    return Visitor(gate)


@pytest.fixture
def client_of() -> Callable[..., FlaskClient]:
    """Make a client of a receiver without hooks, whose access takes what is given."""

    def make(**given: Any) -> FlaskClient:
        desk = Desk(Hub(), max_pixels=1 << 20, seats=Seats(4), has_hook=lambda camera: False)
        blueprints = [stream.blueprint(desk, seats=Seats(4), max_bytes=1 << 16)]
        return create_app(blueprints, max_bytes=1 << 16, access=Access(**given)).test_client()

    return make
