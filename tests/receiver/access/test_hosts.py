"""Where no token is needed, only names of the receiver's own count."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from receiver.access.access import Access
from receiver.app import create_app
from shared.access.hosts import Hosts
from shared.access.refusals import Refusals
from tests.program import Receiver
from tests.receiver.access.conftest import LET_IN, Behind
from tests.receiver.access.test_gate import counts


def hosts(*allowed: str) -> Hosts:
    return Hosts(lambda environ, start: [b""], allowed, refusals=Refusals())


@pytest.mark.parametrize(
    "host",
    [
        *("", "localhost", "localhost:8000", "LOCALHOST", "127.0.0.1:8000", "192.168.1.7"),
        *("[::1]:8000", "[::ffff:10.0.0.1]", "receiver", "receiver:8000", "nas.local", "a.b.lan."),
        *("receiver.default.svc.cluster.local", "cam.internal:80", "cams.example.com:8443"),
        *("CAMS.example.com.", "box.home.arpa", "[::FFFF:10.0.0.1]", "localhost:", "a.localhost"),
        *("a.test", "a.home", "a.corp", "a.intranet", "a.localdomain", "yard.example.com"),
    ],
)
def test_names_of_its_own_are_answered(host: str) -> None:
    assert hosts("cams.example.com", "YARD.Example.com.").answers_to(host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "cams.example.com.evil"),
        *("localhost.evil.example", "x.cams.example.com", "a b.c", "user@127.0.0.1", "1.2.3.4.5"),
        *("[::1].evil.example", "evil.example:80:80", "127.0.0.1\x00.evil.example", "местный.рф"),
        *(
            "evil.example/.local",
            "evil.example@x.local",
            "evil.example[.local",
            "evil.example].lan",
        ),
        *("[]", ":80", "evil.example:80:.local"),
    ],
)
def test_names_that_anybody_may_have_are_not(host: str) -> None:
    assert not hosts("cams.example.com").answers_to(host)


def ask(door: Hosts, **headers: str) -> tuple[str, dict[str, str], bytes]:
    """Return the status, the headers and the body of the answer."""
    environ: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": "/cameras"} | headers
    answers: list[tuple[str, dict[str, str]]] = []
    body = door(environ, lambda status, sent, _=None: answers.append((status[:3], dict(sent))))  # type: ignore[arg-type]
    return *answers[-1], b"".join(body)


@pytest.mark.parametrize("headers", [{}, {"HTTP_HOST": ""}, {"HTTP_HOST": "localhost:8000"}])
def test_who_names_this_receiver_is_let_in_every_time(
    headers: dict[str, str], behind: Behind, caplog: pytest.LogCaptureFixture
) -> None:
    door = Hosts(behind, [], refusals=Refusals())

    assert [ask(door, **headers)[0] for _ in range(3)] == [str(LET_IN)] * 3
    assert [environ["PATH_INFO"] for environ in behind.environs] == ["/cameras"] * 3
    assert caplog.messages == []


def test_who_does_not_is_told_and_goes_no_further(
    behind: Behind, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    door = Hosts(behind, ["cams.example.com"], refusals=refusals)
    name = "x" * 100 + ".example"
    for _ in range(3):
        status, headers, body = ask(door, HTTP_HOST=name, REMOTE_ADDR="192.0.2.7")
    ask(door, HTTP_HOST="evil.example")

    sentence = (
        "Host: expected an address, a name of the local network or one given by --allow-host, got "
    )
    problem = json.loads(body)
    assert (status, headers["Content-Type"]) == ("421", "application/problem+json")
    assert problem["title"] == "Not a name of this server"
    assert problem["detail"] == f"{sentence}{name[:80]!r}"
    assert behind.environs == []
    assert counts(refusals) == {"host": 4}
    assert caplog.messages == [
        f"access: refused 192.0.2.7: {sentence}{name[:80]!r}",
        f"access: refused an unknown address: {sentence}'evil.example'",
    ]


def test_a_page_of_a_strange_name_reads_nothing() -> None:
    with Receiver("--allow-host", "cams.example.com") as receiver:
        strange = requests.get(
            f"{receiver.url}/cameras", headers={"Host": "evil.example"}, timeout=10
        )
        known = requests.get(
            f"{receiver.url}/cameras", headers={"Host": "cams.example.com"}, timeout=10
        )
        receiver.wait_for(r"access: refused 127\.0\.0\.1: Host: expected .* got 'evil\.example'")

    assert strange.status_code == 421
    assert strange.headers["Content-Type"] == "application/problem+json"
    assert "--allow-host" in strange.json()["detail"]
    assert "cameras" not in strange.json()
    assert known.status_code == 200


def test_with_a_token_any_name_will_do() -> None:
    client = create_app([], max_bytes=1000, access=Access("t" * 20)).test_client()

    reply = client.get("/access", headers={"Host": "cams.example.org"})

    assert reply.status_code == 200


def test_what_it_remembers_is_bounded() -> None:
    gate = hosts()
    start = lambda *_: None  # noqa: E731

    for number in range(1000):
        gate({"HTTP_HOST": f"name{number}", "REQUEST_METHOD": "GET"}, start)  # type: ignore[arg-type]

    assert len(gate._known) == 256
