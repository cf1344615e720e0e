"""The test pattern as a source."""

from __future__ import annotations

import threading
import time

import pytest

from sender.source import Shot, SourceError, SourceOptions, open_source
from shared import codec, pattern
from shared.errors import ConfigError


def mark(shot: Shot) -> pattern.Mark:
    found = pattern.read(codec.decode(shot.picture.to_jpeg(80)))
    assert found is not None
    return found


def test_numbers_rise_by_one_also_over_a_new_start() -> None:
    source = open_source("testsrc", SourceOptions(pace="fast", size=(160, 120)))
    source.open()
    numbers = [mark(source.read()).number for _ in range(3)]
    source.close()
    source.open()
    numbers += [mark(source.read()).number for _ in range(3)]

    assert numbers == list(range(6))


def test_the_time_in_the_picture_is_when_it_was_captured() -> None:
    source = open_source("testsrc", SourceOptions(pace="fast", size=(160, 120)))
    source.open()
    zero = time.time() - time.monotonic()
    shot = source.read()
    threading.Event().wait(0.3)  # it is drawn later, when somebody takes it

    assert mark(shot).time == pytest.approx(zero + shot.captured, abs=0.15)


def test_it_keeps_its_rate_and_size() -> None:
    source = open_source("testsrc", SourceOptions(fps=50, size=(320, 180)))
    source.open()
    shots = [source.read() for _ in range(11)]

    # Later where the machine is busy; `test_pace` has the times to the millisecond.
    assert shots[-1].captured - shots[0].captured > 10 / 50 - 0.04
    assert codec.decode(shots[0].picture.to_jpeg(80)).shape == (180, 320, 3)
    assert codec.decode(shots[0].picture.to_jpeg(80, (160, 90))).shape == (90, 160, 3)


def test_a_wait_is_interrupted_at_once() -> None:
    source = open_source("testsrc", SourceOptions(fps=0.01, size=(160, 120)))
    source.open()
    source.read()
    timer = threading.Timer(0.05, source.interrupt)
    timer.start()
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        source.read()
    timer.join()

    assert caught.value.reason == "interrupted"
    assert time.monotonic() - start < 30


def test_a_size_that_the_pattern_does_not_fit_in_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="at least 64 pixels"):
        open_source("testsrc", SourceOptions(size=(32, 32)))
