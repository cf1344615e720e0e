"""The receiver's application on a test client, without hooks and without a server."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from receiver import control, health, ingest, status
from receiver.app import create_app
from receiver.control import Controls
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.metrics import HubCollector, Metrics
from shared.seats import Seats

MAX_BYTES = 100_000
MAX_PIXELS = 640 * 480


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def hub(metrics: Metrics) -> Hub:
    hub = Hub(observers=[metrics])
    metrics.registry.register(HubCollector(hub))
    return hub


@pytest.fixture
def hooked() -> set[str]:
    """The cameras that a hook is for."""
    return set()


@pytest.fixture
def seats() -> Seats:
    return Seats(4)


@pytest.fixture
def broken() -> dict[str, str]:
    """Why the hooks of some cameras do not run."""
    return {}


@pytest.fixture
def desk(hub: Hub, hooked: set[str], broken: dict[str, str], seats: Seats) -> Desk:
    return Desk(
        hub, max_pixels=MAX_PIXELS, seats=seats, has_hook=hooked.__contains__, trouble=broken.get
    )


@pytest.fixture
def controls(hub: Hub) -> Controls:
    return Controls(hub, max_cameras=4)


@pytest.fixture
def client(hub: Hub, metrics: Metrics, desk: Desk, controls: Controls) -> FlaskClient:
    blueprints = [
        ingest.blueprint(desk, max_bytes=MAX_BYTES, wish=controls.header),
        control.blueprint(controls),
        status.blueprint(hub),
        health.blueprint(registry=metrics.registry, hooks=list, alive=list, ready=list),
    ]
    return create_app(blueprints, max_bytes=MAX_BYTES).test_client()
