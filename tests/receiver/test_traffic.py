"""Every request is counted by its route, whoever answers it, and never by its path."""

from __future__ import annotations

from collections import Counter

import pytest
from flask.testing import FlaskClient

from receiver import health, ingest, status
from receiver.app import create_app
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.metrics import Metrics
from receiver.traffic import Traffic
from shared import codec, pattern
from tests.receiver.conftest import MAX_BYTES

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
FRAMES = "/cameras/<camera>/frames"


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def client(hub: Hub, metrics: Metrics, desk: Desk, traffic: Traffic) -> FlaskClient:
    blueprints = [
        ingest.blueprint(desk, max_bytes=MAX_BYTES),
        status.blueprint(hub),
        health.blueprint(registry=metrics.registry, hooks=list, alive=list, ready=list),
    ]
    return create_app(blueprints, max_bytes=MAX_BYTES, traffic=traffic).test_client()


def counted(traffic: Traffic) -> Counter[tuple[str, str, str]]:
    requests = next(iter(traffic.collect()))
    return Counter(
        {
            (sample.labels["route"], sample.labels["method"], sample.labels["status"]): int(
                sample.value
            )
            for sample in requests.samples
        }
    )


def test_a_frame_is_counted_alike_with_the_shortcut_and_without(
    client: FlaskClient, traffic: Traffic
) -> None:
    for query in ("", "?mode=latest"):
        client.post(f"/cameras/door/frames{query}", data=JPEG, content_type="image/jpeg")
    client.post("/cameras/door/frames", data=b"none", content_type="image/jpeg")

    assert counted(traffic) == {(FRAMES, "POST", "202"): 2, (FRAMES, "POST", "415"): 1}


def test_paths_and_methods_that_lead_nowhere_are_told_together(
    client: FlaskClient, traffic: Traffic
) -> None:
    for path in ("/wrong", "/wrong/too", "/cameras/door/frames/9"):
        client.get(path)
    client.open("/cameras", method="CONJURE")

    assert counted(traffic) == {("none", "GET", "404"): 3, ("none", "other", "405"): 1}


def test_times_are_kept_for_each_route(client: FlaskClient, traffic: Traffic) -> None:
    client.get("/cameras")
    client.get("/cameras")
    client.get("/healthz")

    _, seconds = traffic.collect()
    counts = {
        sample.labels["route"]: sample.value
        for sample in seconds.samples
        if sample.name.endswith("_count")
    }
    sums = [sample.value for sample in seconds.samples if sample.name.endswith("_sum")]
    assert counts == {"/cameras": 2, "/healthz": 1}
    assert all(0 < seconds < 5 for seconds in sums)
