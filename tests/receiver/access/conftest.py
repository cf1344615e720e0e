"""The gate before an application that says 418 to whoever is let in."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Map
from werkzeug.test import Client, TestResponse

from receiver import stream
from receiver.__main__ import Receiver as Service
from receiver.access.access import Access
from receiver.access.bearers import Bearers
from receiver.access.gate import Gate
from receiver.access.grant import Grant, Role, Token
from receiver.access.refusals import Refusals
from receiver.access.tokens import Tokens, digest_of
from receiver.app import create_app
from receiver.config import ReceiverConfig
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.seats import Seats

#: By the name of their grant.
SECRETS = {
    "ingest": "ingest-0123456789",
    "door": "door-only-0123456789",
    "view": "view-:@/%?#-0123456789",
    "both": "ingest-and-view-0123456789",
    "admin": "admin-0123456789",
}
LET_IN = 418


def grant(name: str, *roles: Role, cameras: Iterable[str] | None = None) -> Grant:
    limited = None if cameras is None else frozenset(cameras)
    return Grant(name=name, roles=frozenset(roles), cameras=limited)


GRANTS = (
    grant("ingest", "ingest"),
    grant("door", "ingest", cameras=["door"]),
    grant("view", "view"),
    grant("both", "ingest", "view"),
    grant("admin", "admin"),
)
GRANTED = [Token(digest=digest_of(SECRETS[each.name]), grant=each) for each in GRANTS]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str, user: str = "x") -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


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
