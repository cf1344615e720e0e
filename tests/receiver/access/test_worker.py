"""A worker asks for the same tokens as the receivers do."""

from __future__ import annotations

import pytest

from receiver.config import WorkerConfig
from receiver.worker.__main__ import Worker
from tests.shared.access.tokens import SECRETS, bearer

ROUTES = {"/healthz": 200, "/readyz": 503, "/hooks": 200, "/metrics": 200, "/x": 404}


@pytest.mark.parametrize("route", ROUTES)
def test_a_worker_lets_in_who_has_a_token(route: str) -> None:
    arguments = ["--bus", "redis://127.0.0.1:1/0", "--hook", "hooks.brightness:process"]
    client = Worker(WorkerConfig.load([*arguments, "--token", SECRETS["admin"]])).app.test_client()
    is_open = route in ("/healthz", "/readyz")

    assert client.get(route).status_code == (ROUTES[route] if is_open else 401)
    assert client.get(route, headers=bearer(SECRETS["admin"])).status_code == ROUTES[route]
