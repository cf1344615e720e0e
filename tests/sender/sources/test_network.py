"""Video without a session: MPEG-TS over UDP, and protocols that are not there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import av
import pytest

from sender.source import Shot, Source, SourceError, SourceOptions, open_source
from shared import codec, pattern


@dataclass(frozen=True)
class Sending:
    """Somebody sends the test pattern to this UDP port until `stop` is set."""

    port: int
    stop: threading.Event


@pytest.fixture
def sending() -> Iterator[Sending]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    stop = threading.Event()

    def send() -> None:
        url = f"udp://127.0.0.1:{number}?pkt_size=1316"
        with av.open(url, "w", format="mpegts") as container:
            stream = container.add_stream("libx264", rate=50)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            stream.options = {"tune": "zerolatency", "preset": "ultrafast", "g": "10"}
            frame = 0
            while not stop.wait(1 / 50):
                image = pattern.draw(frame, 320, 240)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
                frame += 1
            container.mux(stream.encode(None))

    thread = threading.Thread(target=send)
    thread.start()
    yield Sending(number, stop)
    stop.set()
    thread.join()


def number(shot: Shot) -> int:
    mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
    assert mark is not None
    return mark.number


def read_on(source: Source) -> None:
    while True:
        source.read()


def test_mpeg_ts_over_udp_is_read(sending: Sending) -> None:
    source = open_source(f"udp://127.0.0.1:{sending.port}", SourceOptions())
    source.open()
    # It began in the middle, perhaps.
    shot = source.read()
    while shot.corrupt:
        shot = source.read()
    numbers = [number(shot), *(number(source.read()) for _ in range(10))]
    source.close()

    assert numbers == list(range(numbers[0], numbers[0] + 11))


def test_nobody_sending_is_given_up_in_time() -> None:
    source = open_source("udp://127.0.0.1:0", SourceOptions(open_timeout=0.3, read_timeout=0.3))
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()

    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 4


def test_a_sender_that_stops_is_noticed_in_time(sending: Sending) -> None:
    source = open_source(f"udp://127.0.0.1:{sending.port}", SourceOptions(read_timeout=1.0))
    source.open()
    source.read()
    sending.stop.set()
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        read_on(source)
    source.close()

    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 10


def test_a_protocol_that_this_ffmpeg_lacks_is_said_so_for_good() -> None:
    source = open_source("srt://u:secret@127.0.0.1:9?passphrase=secret", SourceOptions())
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()

    assert caught.value.permanent
    assert "built without this protocol" in str(caught.value)
    assert "secret" not in str(caught.value)
