"""A bus on a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeFrame
from tests.receiver.bus.ends import Stage
from tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]


@pytest.fixture
def stage(redis_server: RedisServer, tmp_path: Path, make_frame: MakeFrame) -> Iterator[Stage]:
    stage = Stage(redis_server.url, tmp_path, make_frame)
    yield stage
    stage.close()
