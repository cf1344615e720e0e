"""The whole application behind the gate: what each route answers to each kind of credential."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from receiver.__main__ import Receiver as Service
from receiver.config import ReceiverConfig
from tests.program import Receiver
from tests.receiver.access.conftest import LET_IN
from tests.receiver.access.test_routes import ANSWERS, BROKEN, LEVELS, expected, served
from tests.shared.access.tokens import SECRETS, basic, bearer

TOKEN = "admin-0123456789"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A receiver with everything that adds routes, and the tokens of the table; never started."""
    file = tmp_path / "tokens.yaml"
    roles = {"ingest": "ingest", "view": "view", "both": "[ingest, view]", "admin": "admin"}
    entries = [f"- {{name: {n}, role: {r}, token: '{SECRETS[n]}'}}" for n, r in roles.items()]
    file.write_text("\n".join(entries), encoding="utf-8")
    (tmp_path / "records").mkdir()
    service = Service(
        ReceiverConfig.load(["--tokens", str(file), "--record", str(tmp_path / "records")])
    )
    yield service
    service.drain()  # ends what is endless
    service.stop()


def ask(client: FlaskClient, route: str, headers: dict[str, str], query: str = "") -> int:
    method, path = route.split()
    kind: dict[str, Any] = {"data": b"no picture"} if method in ("POST", "PUT") else {}
    answer = client.open(path + query, method=method, headers=headers, **kind)
    answer.close()
    return answer.status_code


def test_who_may_not_gets_401_or_403_and_who_may_is_answered_by_the_route(
    service: Service,
) -> None:
    client = service.app.test_client()
    wrong: list[str] = []
    for route, endpoint in served(service.app.url_map).items():
        at = LEVELS.index(expected(route, endpoint))
        if endpoint not in ("events.get_events", "wall.get_live"):  # they would wait for news
            for name, answers in ANSWERS.items():
                for headers in (bearer(SECRETS[name]), basic(SECRETS[name])):
                    status = ask(client, route, headers)
                    is_right = status not in (401, 403) and status < 500
                    if answers[at] != LET_IN:
                        is_right = status == answers[at]
                    if not is_right:
                        wrong.append(f"{route}, {name}: {status}")
        for kind, headers in BROKEN.items():
            status = ask(client, route, headers)
            if (status == 401) is (at == 0) or status >= 500:
                wrong.append(f"{route}, {kind}: {status}")
        status = ask(client, route, {}, f"?token={SECRETS['admin']}")
        if (status == 401) is (at == 0) or status >= 500:
            wrong.append(f"{route}, in the query: {status}")

    assert wrong == []


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        pytest.param([b"Bearer " + TOKEN.encode()], b"200", id="right"),
        pytest.param([b"bearer " + TOKEN.encode()], b"200", id="lower case"),
        pytest.param([b"Bearer wrong-0123456789", b"Bearer " + TOKEN.encode()], b"401", id="last"),
        pytest.param([b"Bearer " + TOKEN.encode(), b"Bearer wrong-0123456789"], b"401", id="first"),
        pytest.param([b"Bearer " + TOKEN.encode()] * 2, b"401", id="twice"),
        pytest.param(["Bearer пароль".encode()], b"401", id="UTF-8"),
        pytest.param([b"Bearer \xff\xfe" + TOKEN.encode()], b"401", id="no UTF-8"),
        pytest.param([b"Bearer " + b"x" * 8192], b"401", id="8 kB"),
        pytest.param([b"Bearer " + b"x" * 1_000_000], b"431", id="1 MB"),
        pytest.param([b"Bearer "], b"401", id="empty"),
        pytest.param([b"Bearer \x00" + TOKEN.encode()], b"400", id="NUL"),
        pytest.param([], b"401", id="none"),
    ],
)
def test_on_the_wire_only_one_whole_header_counts(
    lines: list[bytes], status: bytes, receiver: Receiver
) -> None:
    head = b"GET /cameras HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as wire:
        wire.sendall(head + b"".join(b"Authorization: " + one + b"\r\n" for one in lines) + b"\r\n")
        reply = wire.makefile("rb").readline()

    assert reply.split()[1] == status


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver(env={"RECEIVER_TOKEN": TOKEN}) as receiver:
        yield receiver
