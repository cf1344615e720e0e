"""Where no token is needed, only names of the receiver's own count."""

from __future__ import annotations

import pytest
import requests

from receiver.access.access import Access
from receiver.access.hosts import Hosts
from receiver.access.refusals import Refusals
from receiver.app import create_app
from tests.program import Receiver


def hosts(*allowed: str) -> Hosts:
    return Hosts(lambda environ, start: [b""], allowed, refusals=Refusals())


@pytest.mark.parametrize(
    "host",
    [
        *("", "localhost", "localhost:8000", "LOCALHOST", "127.0.0.1:8000", "192.168.1.7"),
        *("[::1]:8000", "[::ffff:10.0.0.1]", "receiver", "receiver:8000", "nas.local", "a.b.lan."),
        *("receiver.default.svc.cluster.local", "cam.internal:80", "cams.example.com:8443"),
        *("CAMS.example.com.", "box.home.arpa"),
    ],
)
def test_names_of_its_own_are_answered(host: str) -> None:
    assert hosts("cams.example.com").answers_to(host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "cams.example.com.evil"),
        *("localhost.evil.example", "x.cams.example.com", "a b.c", "user@127.0.0.1", "1.2.3.4.5"),
        *("[::1].evil.example", "evil.example:80:80", "127.0.0.1\x00.evil.example", "местный.рф"),
    ],
)
def test_names_that_anybody_may_have_are_not(host: str) -> None:
    assert not hosts("cams.example.com").answers_to(host)


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

    assert len(gate._known) <= 256
