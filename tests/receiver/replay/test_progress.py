"""Without a terminal the replay says now and then how far it is."""

from __future__ import annotations

import io
import logging

import pytest

from receiver.replay.progress import Progress


def test_a_line_comes_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    stream = io.StringIO()
    progress = Progress(60, stream=stream, clock=lambda: now[0])
    caplog.set_level(logging.INFO)

    for _ in range(20):
        progress.step()
        now[0] += 1.0
        progress.look()

    assert [record.getMessage() for record in caplog.records] == [
        "10 of 60 frames, 1.0 a second, 50 s left",
        "20 of 60 frames, 1.0 a second, 40 s left",
    ]
    assert stream.getvalue() == ""


def test_before_the_first_frame_nothing_is_promised(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    progress = Progress(60, stream=io.StringIO(), clock=lambda: now[0])
    caplog.set_level(logging.INFO)

    now[0] = 11
    progress.look()

    assert caplog.records[0].getMessage() == "0 of 60 frames, 0.0 a second"
