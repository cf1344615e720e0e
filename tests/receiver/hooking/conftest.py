from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeFrame
from tests.receiver.bench import Bench


@pytest.fixture
def bench(
    tmp_path: Path, make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> Iterator[Bench]:
    caplog.set_level(logging.INFO)
    with Bench(tmp_path, make_frame) as bench:
        yield bench
