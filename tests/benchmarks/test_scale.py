"""The benchmark of the bus, with a moment's work."""

from __future__ import annotations

import argparse
import shutil

import pytest
from tqdm import tqdm

from benchmarks import scale
from tests.conftest import missing


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
    if shutil.which("redis-server") is None:
        missing("redis-server", "apt-get install redis-server")
    parser = argparse.ArgumentParser()
    scale.add_arguments(parser)
    line = ["--rounds", "1", "--seconds", "1", "--answers", "3", "--cameras", "3", "--fps", "5"]
    return parser.parse_args(line)


def test_answers_over_the_bus_are_answers(arguments: argparse.Namespace) -> None:
    found = scale.answers(arguments)

    assert found["receiver"]["p50"] > 0
    assert found["bus"]["p99"] > 0


def test_every_frame_of_every_camera_is_counted(arguments: argparse.Namespace) -> None:
    found = scale.cameras(arguments)

    assert found["uncounted"] == 0
    assert found["processed"] > 0
    assert found["posted"] == found["received"] >= 12
