"""Receivers that ask for a token, behind the balancer, which has none."""

from __future__ import annotations

import requests

from tests.receiver.balancer.fleet import JPEG, Fleet

TOKEN = "a-very-secret-token"


def test_the_balancer_finds_its_receivers_and_passes_tokens_on() -> None:
    with Fleet(started=1, token=TOKEN) as fleet:  # it waits until the balancer has found it
        route = f"{fleet.url}/cameras/door/frames"
        bearer = {"Authorization": f"Bearer {TOKEN}"}

        refused = requests.post(route, JPEG, timeout=30)
        taken = requests.post(route, JPEG, headers=bearer, timeout=30)
        seen = requests.get(f"{fleet.url}/cameras/door/frame.jpg", auth=("x", TOKEN), timeout=30)

    assert refused.status_code == 401
    assert refused.json()["detail"].startswith("token: expected one")
    assert taken.status_code == 202
    assert seen.content == JPEG
