from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from camera.simulated import SimulatedCamera
from sender.rtsp.session import Unusual
from sender.source import SourceError, SourceOptions, open_source
from sender.sources import rtsp_direct
from sender.sources.address import parse
from sender.sources.rtsp_direct import DirectRtspSource
from shared import codec, pattern
from tests.sender.rtsp.scripted import Asked, ScriptedCamera, Wire, interleaved, rtp

SIZE = (320, 240)


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        yield camera


@pytest.fixture
def unusual(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    """Let the direct reader meet something unusual in `open` or `read`; return its calls."""
    calls: list[str] = []
    real = getattr(DirectRtspSource, request.param)

    def meet(source: DirectRtspSource) -> Any:
        calls.append(request.param)
        real(source)
        raise Unusual("rtsp://camera: the packets are interleaved")

    monkeypatch.setattr(DirectRtspSource, request.param, meet)
    return calls


@pytest.mark.parametrize("unusual", ["open"], indirect=True)
def test_what_the_direct_reader_does_not_know_is_left_to_ffmpeg_for_good(
    camera: SimulatedCamera, unusual: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sender")
    source = open_source(camera.url, SourceOptions())
    for _ in range(2):
        source.open()
        mark = pattern.read(codec.decode(source.read().picture.to_jpeg(90)))
        assert mark is not None
        source.close()

    assert unusual == ["open"]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("sender")]
    assert said == ["rtsp://camera: the packets are interleaved; FFmpeg reads it from now on"]
    # FFmpeg closes at once, and its goodbye is lost where packets were unread.
    assert camera.wait_until(lambda camera: camera.teardowns >= 1 and camera.clients == 0)


@pytest.mark.parametrize("unusual", ["read"], indirect=True)
def test_a_stream_that_turns_unusual_is_opened_anew_with_ffmpeg(
    camera: SimulatedCamera, unusual: list[str]
) -> None:
    source = open_source(camera.url, SourceOptions())
    source.open()
    with pytest.raises(SourceError) as caught:
        source.read()
    assert caught.value.reason == "format"
    source.close()
    source.open()
    assert source.read().picture.width == SIZE[0]
    source.close()

    assert unusual == ["read"]


def test_packets_without_pictures_are_left_to_ffmpeg_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtsp_direct, "KEY_FRAME_WAIT", 0.1)

    def play(wire: Wire, asked: Asked) -> None:
        wire.reply(asked)
        with suppress(ConnectionError):
            for number in count():
                wire.send(interleaved(rtp(number % 65536, payload=b"\x67 a parameter set")))

    with ScriptedCamera({"PLAY": play}) as camera:
        source = DirectRtspSource(parse(camera.url), SourceOptions(read_timeout=0.2))
        source.open()
        with pytest.raises(Unusual) as caught:
            source.read()
        source.close()

    assert str(caught.value) == f"{camera.url}: packets come, but for 0.2 s no picture"


@pytest.mark.parametrize("unusual", ["open", "read"], indirect=True)
def test_where_only_the_direct_reader_is_allowed_it_is_an_error(
    camera: SimulatedCamera, unusual: list[str]
) -> None:
    source = open_source(camera.url, SourceOptions(rtsp_reader="direct"))

    def read_one() -> None:
        source.open()
        source.read()

    with pytest.raises(SourceError) as caught:
        read_one()
    source.close()

    assert str(caught.value) == "rtsp://camera: the packets are interleaved"
    assert not caught.value.permanent


@pytest.mark.parametrize("unusual", ["open"], indirect=True)
def test_an_interrupt_while_one_takes_over_from_the_other_is_not_forgotten(
    camera: SimulatedCamera, unusual: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(camera.url, SourceOptions())
    real = DirectRtspSource.close

    def close(one: DirectRtspSource) -> None:
        source.interrupt()
        real(one)

    monkeypatch.setattr(DirectRtspSource, "close", close)
    with pytest.raises(SourceError) as caught:
        source.open()
    monkeypatch.undo()
    source.close()

    assert caught.value.reason == "interrupted"


@pytest.mark.parametrize(
    ("ahead", "capture_time", "is_camera_s"),
    [
        pytest.param(-0.3, "camera", True, id="a little old"),
        pytest.param(-0.3, "arrival", False, id="not asked for"),
        pytest.param(-2.5, "camera", False, id="too old to be true"),
        pytest.param(+0.5, "camera", False, id="from the future"),
    ],
)
def test_the_camera_s_own_time_counts_where_it_can_be_true(
    camera: SimulatedCamera,
    monkeypatch: pytest.MonkeyPatch,
    ahead: float,
    capture_time: Any,
    is_camera_s: bool,
) -> None:
    source = open_source(camera.url, SourceOptions(capture_time=capture_time))
    source.open()
    reader = source._reader  # type: ignore[attr-defined]
    reader._session.clock.unix = lambda timestamp: time.time() + ahead
    shot = source.read()
    age = time.monotonic() - shot.captured
    source.close()

    assert (abs(age + ahead) < 0.1) == is_camera_s
