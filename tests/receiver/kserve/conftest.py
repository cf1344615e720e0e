"""The routes below /v2 on a test client, with a hook that answers at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app import create_app
from receiver.desk import Desk
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hooking.hooks import HookSpec
from receiver.hub import Hub
from receiver.kserve import routes
from receiver.kserve.regions import Regions
from receiver.models import Models
from shared.seats import Seats
from tests.receiver.answering import Answering, worker
from tests.receiver.conftest import MAX_BYTES, MAX_PIXELS


@pytest.fixture
def hook(hub: Hub, hooked: set[str]) -> Answering:
    hooked |= {"kserve", "door", "yard"}
    return Answering(hub)


@pytest.fixture
def workers() -> list[WorkerStatus]:
    return [worker("hooks.motion:Motion"), worker("faces", "door")]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """What stands for /dev/shm."""
    folder = tmp_path / "shm"
    folder.mkdir()
    return folder


@pytest.fixture
def regions(memory: Path) -> Iterator[Regions]:
    regions = Regions(where=memory)
    yield regions
    regions.unregister()


@pytest.fixture
def wrong() -> list[str]:
    """What is wrong with the receiver."""
    return []


@pytest.fixture
def client(
    desk: Desk,
    seats: Seats,
    hook: Answering,
    regions: Regions,
    workers: list[WorkerStatus],
    wrong: list[str],
) -> FlaskClient:
    specs = [HookSpec("hooks.motion:Motion"), HookSpec("faces", "door")]
    door = routes.blueprint(
        desk,
        Models(specs, status=lambda: workers),
        seats=seats,
        max_bytes=MAX_BYTES,
        max_pixels=MAX_PIXELS,
        alive=list,
        ready=lambda: wrong,
        regions=regions,
    )
    return create_app([door], max_bytes=MAX_BYTES).test_client()
