"""The receiver's application on a test client, without hooks and without a server."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from receiver import ingest, status
from receiver.app import create_app
from receiver.hub import Hub
from receiver.metrics import HubCollector, Metrics

MAX_BYTES = 100_000
MAX_PIXELS = 640 * 480


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def hub(metrics: Metrics) -> Hub:
    hub = Hub(observer=metrics)
    metrics.registry.register(HubCollector(hub))
    return hub


@pytest.fixture
def client(hub: Hub, metrics: Metrics) -> FlaskClient:
    blueprints = [
        ingest.blueprint(hub, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS),
        status.blueprint(
            hub,
            registry=metrics.registry,
            hooks=list,
            alive=list,
            ready=list,
        ),
    ]
    return create_app(blueprints, max_bytes=MAX_BYTES).test_client()
