"""RTSP, against a simulated camera and against servers that misbehave; by each of the readers."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from camera.simulated import SimulatedCamera
from sender.picture import JpegPicture, VideoPicture
from sender.source import Shot, Source, SourceError, SourceOptions, open_source
from shared import codec, pattern
from shared.errors import FrameError

SIZE = (320, 240)


class ReaderInTurn:
    """The value of rtsp_reader for the test that runs."""

    name = "auto"


@pytest.fixture(params=["direct", "ffmpeg"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setattr(ReaderInTurn, "name", name)
    return name


def make_source(url: str, **options: Any) -> Source:
    return open_source(url, SourceOptions(**{"rtsp_reader": ReaderInTurn.name} | options))


@contextmanager
def opened(url: str, **options: Any) -> Iterator[Source]:
    source = make_source(url, **options)
    try:
        source.open()
        yield source
    finally:
        source.close()


def number(shot: Shot) -> int | None:
    mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
    return None if mark is None else mark.number


def is_legible(shot: Shot) -> bool:
    """Return whether its number can be read; a damaged JPEG may not even be decoded."""
    try:
        return number(shot) is not None
    except FrameError:
        return False


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("kind", ["h264", "h265", "mjpeg"])
def test_every_frame_arrives_once_and_in_order(kind: str, transport: str) -> None:
    with (
        SimulatedCamera(codec=kind, size=SIZE, fps=50) as camera,
        opened(camera.url, rtsp_transport=transport) as source,
    ):
        shots = [source.read() for _ in range(20)]

    numbers = [number(shot) for shot in shots]
    assert numbers == list(range(numbers[0] or 0, (numbers[0] or 0) + 20))
    assert not any(shot.corrupt or shot.lost for shot in shots)
    assert (shots[0].picture.width, shots[0].picture.height) == SIZE


def test_a_frame_is_stamped_when_it_came_in() -> None:
    with (
        SimulatedCamera(codec="mjpeg", size=SIZE, fps=50) as camera,
        opened(camera.url) as source,
    ):
        shots = [source.read() for _ in range(30)]

    zero = time.time() - time.monotonic()
    for shot in shots[10:]:
        mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
        assert mark is not None
        # A busy machine draws a picture later than it was due, which is what the camera reports.
        assert abs(zero + shot.captured - mark.time) < 5


def test_a_motion_jpeg_camera_is_passed_on_without_decoding() -> None:
    with (
        SimulatedCamera(codec="mjpeg", size=SIZE, fps=50) as camera,
        opened(camera.url) as source,
    ):
        picture = source.read().picture

        assert isinstance(picture, JpegPicture)
        assert picture.to_jpeg(10) is picture.to_jpeg(90)


def test_the_first_frame_does_not_wait_for_a_second_of_video() -> None:
    with SimulatedCamera(size=SIZE, fps=25) as camera:
        start = time.monotonic()
        with opened(camera.url) as source:
            source.read()

        assert time.monotonic() - start < 0.6


@pytest.mark.parametrize("password", ["secret", "p@ss/w:rd?#%41", "ü&="])
def test_a_login_is_taken_from_the_url(password: str) -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50, user="admin", password=password) as camera,
        opened(camera.login_url) as source,
    ):
        assert number(source.read()) is not None


def test_a_raw_password_with_signs_in_it_is_understood() -> None:
    with SimulatedCamera(size=SIZE, fps=50, user="admin", password="p@ss/w:rd") as camera:
        raw = camera.url.replace("rtsp://", "rtsp://admin:p@ss/w:rd@")
        with opened(raw) as source:
            assert number(source.read()) is not None


def read_on(source: Source) -> None:
    while True:
        source.read()


def failure(url: str, *, open_timeout: float = 30.0) -> SourceError:
    source = make_source(url, open_timeout=open_timeout)
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_a_wrong_password_is_said_and_not_shown() -> None:
    with SimulatedCamera(size=SIZE, user="admin", password="right") as camera:
        error = failure(camera.url.replace("rtsp://", "rtsp://admin:wrong-secret@"))

    assert error.reason == "auth"
    assert "wrong-secret" not in str(error)
    assert "wrong-secret" not in repr(error)


def test_a_port_where_nobody_listens_is_refused(refusing_port: int) -> None:
    error = failure(f"rtsp://a:secret@127.0.0.1:{refusing_port}/live")

    assert error.reason == "refused"
    assert str(error) == f"rtsp://127.0.0.1:{refusing_port}/live: connection refused"


def test_an_unknown_host_is_named() -> None:
    error = failure("rtsp://a:secret@no-such-host.invalid/live")

    assert error.reason == "dns"
    assert "no-such-host.invalid" in str(error)


def test_a_path_that_does_not_exist_is_not_found() -> None:
    def answer(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            while request := client.recv(4096).decode():
                cseq = next(x for x in request.splitlines() if x.lower().startswith("cseq"))
                status = "200 OK\r\nPublic: DESCRIBE" if "OPTIONS" in request else "404 Not Found"
                client.sendall(f"RTSP/1.0 {status}\r\n{cseq}\r\n\r\n".encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        error = failure(f"rtsp://127.0.0.1:{server.getsockname()[1]}/nothing")
        thread.join()

    assert error.reason == "not_found"


def test_a_server_that_says_nothing_is_given_up_in_time(silent_port: int) -> None:
    start = time.monotonic()
    error = failure(f"rtsp://127.0.0.1:{silent_port}/live", open_timeout=0.5)

    assert error.reason == "timeout"
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_stalls_is_given_up_in_time(transport: str) -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50) as camera,
        opened(camera.url, rtsp_transport=transport, read_timeout=1.0) as source,
    ):
        source.read()
        camera.stall()
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            read_on(source)

    assert caught.value.reason == "timeout"
    assert 0.9 < time.monotonic() - start < 10


def test_a_camera_that_cuts_the_connection_has_ended() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, opened(camera.url) as source:
        source.read()
        camera.drop_clients()
        with pytest.raises(SourceError) as caught:
            read_on(source)

    assert caught.value.reason == "ended"


def test_a_source_can_be_opened_again(reader: str) -> None:
    # FFmpeg closes at once, and its goodbye is lost where packets were unread.
    heard = 3 if reader == "direct" else 0
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        source = make_source(camera.url)
        for _ in range(3):
            source.open()
            assert number(source.read()) is not None
            source.close()
            source.close()

        assert camera.wait_until(lambda camera: camera.teardowns >= heard and camera.clients == 0)


def test_a_change_of_size_is_just_a_frame_of_another_size() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, opened(camera.url) as source:
        source.read()
        camera.resize(640, 480)
        shot = source.read()
        while shot.picture.width == SIZE[0]:
            shot = source.read()

        assert (shot.picture.width, shot.picture.height) == (640, 480)
        assert isinstance(shot.picture, VideoPicture)
        assert number(shot) is not None


def test_what_the_decoder_says_of_damage_is_told() -> None:
    with SimulatedCamera(size=SIZE, fps=100) as camera, opened(camera.url) as source:
        camera.corrupt(0.2, seed=3)

        assert any(source.read().corrupt for _ in range(60))


@pytest.mark.parametrize("kind", ["h264", "h265", "mjpeg"])
def test_damage_is_survived(kind: str) -> None:
    with SimulatedCamera(codec=kind, size=SIZE, fps=100) as camera, opened(camera.url) as source:
        camera.corrupt(0.2, seed=3)
        for _ in range(40):
            source.read()
        camera.resume()
        while not is_legible(source.read()):
            pass


def test_opening_is_interrupted_at_once(silent_port: int) -> None:
    url = f"rtsp://127.0.0.1:{silent_port}/live"
    source = make_source(url, open_timeout=60.0, read_timeout=60.0)
    timer = threading.Timer(0.2, source.interrupt)
    timer.start()
    start = time.monotonic()
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()

    assert caught.value.reason == "interrupted"
    assert time.monotonic() - start < 30


def test_reading_is_interrupted_with_the_next_packet_and_close_forgets_it() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, opened(camera.url) as source:
        source.interrupt()
        with pytest.raises(SourceError) as caught:
            source.read()
        source.close()
        source.open()

        assert caught.value.reason == "interrupted"
        assert number(source.read()) is not None


def test_nothing_is_printed_and_nothing_hangs_when_the_program_ends_while_connecting(
    silent_port: int, reader: str
) -> None:
    script = f"""
import threading
from sender.source import SourceOptions, SourceError, open_source
options = SourceOptions(open_timeout=300, rtsp_reader="{reader}")
source = open_source("rtsp://u:secret@127.0.0.1:{silent_port}/x", options)
threading.Timer(0.3, source.interrupt).start()
try:
    source.open()
except SourceError as exc:
    assert exc.reason == "interrupted"
source.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
