"""SECURITY.md: what it names is there; and the defaults that it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from werkzeug.routing import Map

from receiver.__main__ import Receiver as Service
from receiver.config import ReceiverConfig, WorkerConfig
from sender.config import SenderConfig
from tests.receiver.access.test_routes import served

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", TEXT)

    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_setting_and_target_that_it_names_is_one() -> None:
    settings = {*ReceiverConfig.model_fields, *SenderConfig.model_fields}
    options = set(re.findall(r"`--([a-z-]+)", TEXT))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert options
    assert {name for name in options if name.replace("-", "_") not in settings} == set()
    for target in re.findall(r"`make ([a-z]+)", TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT):
        assert (ROOT / target).exists(), target


def test_by_default_nobody_beyond_the_machine_reaches_anything() -> None:
    receiver = ReceiverConfig.load([])
    sender = SenderConfig.load(["--source", "testsrc"])
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    ports = [port for each in compose["services"].values() for port in each.get("ports", [])]

    assert (receiver.host, sender.status_host) == ("127.0.0.1", "127.0.0.1")
    assert WorkerConfig.load(["--bus", "redis://127.0.0.1:1/0"]).host == "127.0.0.1"
    assert (receiver.insecure, receiver.allow_host, receiver.trusted_proxy) == (False, [], [])
    assert ports
    assert all(re.match(r"\$\{\w+:-127\.0\.0\.1:", port) for port in ports)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
def test_no_route_lets_a_page_of_another_site_read(origin: str) -> None:
    app = Service(ReceiverConfig.load([])).app
    client = app.test_client()
    routes: Map = app.url_map
    asking = {"Origin": origin, "Access-Control-Request-Method": "POST", "Host": "localhost"}
    for route in served(routes):
        path = route.split()[1]
        for method in ("OPTIONS", route.split()[0]):
            answer = client.open(path, method=method, headers=asking)
            answer.close()
            assert "Access-Control" not in str(answer.headers), route
