"""What clients see of a camera that is well."""

from __future__ import annotations

import socket
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from camera.faults import Faults
from camera.packets import CLOCK, RtpFrame
from camera.simulated import SimulatedCamera
from camera.source import SourceError
from camera.source import TestPattern as Pattern
from camera.stream import Stream
from shared import pattern
from tests.camera.player import freshest_age, mark, numbers, playing
from tests.camera.raw_client import RawClient
from tests.conftest import missing

SIZE = (320, 240)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
def test_every_frame_arrives_in_order_and_fresh(codec: str, transport: str) -> None:
    with SimulatedCamera(codec=codec, size=SIZE, fps=50) as camera:
        with playing(camera.url, transport=transport) as frames:
            seen = numbers(frames, 40)
            age = freshest_age(frames, 10)

        assert seen == list(range(seen[0], seen[0] + 40))
        assert 0 <= age < 5
        assert camera.wait_until(lambda camera: camera.clients == 0)
        # Over TCP, FFmpeg ends the connection with frames in it unread, and a goodbye that was not
        # read yet is lost with it.
        assert camera.teardowns == 1 or transport == "tcp"
        assert camera.error is None


def test_the_time_stamps_are_those_of_the_pictures() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, playing(camera.url) as frames:
        next(frames)  # FFmpeg gives the first picture of a stream no time stamp
        first, *rest = [next(frames) for _ in range(30)]
        assert first.time is not None
        drawn = [mark(frame).time - mark(first).time for frame in rest]
        stamped = [(frame.time or 0.0) - first.time for frame in rest]

        assert np.median(np.abs(np.subtract(drawn, stamped))) < 0.02


def test_a_frame_that_comes_late_does_not_set_the_reported_clock() -> None:
    frames: list[RtpFrame] = []
    stream = Stream(
        Pattern(*SIZE),
        frames.append,
        codec="mjpeg",
        fps=10,
        gop=1,
        bitrate=None,
        faults=Faults(),
    )
    dues = [time.monotonic() + ahead for ahead in (0.0, -0.03, 0.02, -0.09)]
    stream._pace.next = lambda: dues.pop(0)  # type: ignore[method-assign]
    stream.watch(True)
    while dues:
        stream.step()
    stream.close()

    # RTP's clock begins anywhere.
    differences = [frame.captured_at - frame.rtp_time / CLOCK for frame in frames]
    assert np.ptp(differences) < 0.005


def test_the_rate_is_kept_without_drift() -> None:
    with SimulatedCamera(size=SIZE, fps=20) as camera, playing(camera.url) as frames:
        rates: list[float] = []
        # Anew where the machine was too busy for so many: what drifts does so each time.
        while len(rates) < 15 and (not rates or rates[-1] != pytest.approx(20, rel=0.03)):
            first = mark(next(frames))
            last = [mark(next(frames)) for _ in range(60)][-1]
            rates.append((last.number - first.number) / (last.time - first.time))

        assert rates[-1] == pytest.approx(20, rel=0.03), rates


def test_several_clients_see_the_same_frames_and_one_more_sees_a_picture_at_once() -> None:
    with (
        SimulatedCamera(size=SIZE, fps=25, gop=1000) as camera,
        playing(camera.url) as first,
        playing(camera.url, transport="udp") as second,
    ):
        numbers(first, 10)
        numbers(second, 10)
        started = time.monotonic()
        with playing(camera.url) as late:
            assert numbers(late, 1)[0] > 10
        # A key frame by the calendar would have come after 40 s.
        assert time.monotonic() - started < 30


def test_nothing_is_encoded_while_nobody_watches() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        with playing(camera.url) as frames:
            next(frames)
        assert camera.wait_until(lambda camera: camera.clients == 0)
        # One frame may have been under way.
        camera.wait_until(lambda camera: False, timeout=0.1)
        sent = camera.frames_sent

        assert not camera.wait_until(lambda camera: camera.frames_sent > sent, timeout=0.3)
        with playing(camera.url) as frames:
            assert numbers(frames, 2) == [sent, sent + 1]


def test_a_camera_comes_back_on_its_port_and_goes_on_counting() -> None:
    camera = SimulatedCamera(size=SIZE, fps=50)
    for _ in range(3):
        before = camera.frames_sent
        camera.start()
        url = camera.url
        with playing(camera.url) as frames:
            assert numbers(frames, 3) == [before, before + 1, before + 2]
            camera.stop()
        with pytest.raises(ConnectionRefusedError):
            RawClient(url)
    assert camera.start().url == url
    camera.stop()
    camera.stop()


def test_stopping_does_not_wait_for_clients_that_stay() -> None:
    camera = SimulatedCamera(size=SIZE, fps=50).start()
    with RawClient(camera.url) as idle, RawClient(camera.url) as player:
        player.play()
        player.packet()
        started = time.monotonic()

        camera.stop()

        assert time.monotonic() - started < 10
        assert idle.socket.recv(1) == b""
        assert camera.clients == 0


def test_a_client_that_does_not_read_holds_up_nobody_and_misses_whole_groups() -> None:
    with (
        SimulatedCamera(size=(640, 480), fps=50, codec="mjpeg") as camera,
        RawClient(camera.url, receive_buffer=4096) as stuck,
        playing(camera.url) as frames,
    ):
        stuck.play()
        seen: list[int] = []
        while camera.tally.dropped < 20:
            seen += numbers(frames, 1)
            assert len(seen) < 1000

        assert seen == list(range(seen[0], seen[0] + len(seen)))
        assert stuck.request("OPTIONS").status == 200  # it reads again, and is served


def test_a_slow_client_is_given_whole_frames_from_a_key_frame_on() -> None:
    with (
        SimulatedCamera(size=(640, 480), fps=100, gop=10, bitrate=20_000_000) as camera,
        RawClient(camera.url, receive_buffer=4096) as slow,
    ):
        slow.play()
        assert camera.wait_until(lambda camera: camera.tally.dropped > 0, timeout=30)

        starts_picture, gap, previous = True, False, -1
        for _ in range(20_000):
            channel, packet = slow.packet()
            if channel != 0:
                continue
            sequence = int.from_bytes(packet[2:4])
            if previous >= 0 and sequence != (previous + 1) & 0xFFFF:
                gap = True
                assert starts_picture, "a frame was cut in two"
                assert _starts_with_parameters(packet)
                break
            previous = sequence
            starts_picture = bool(packet[1] & 0x80)
        assert gap


def _starts_with_parameters(packet: bytes) -> bool:
    kind = packet[12] & 0x1F
    return kind == 7 or (kind == 24 and packet[15] & 0x1F == 7)  # 24: several units in one


def test_a_file_is_played_in_a_loop_at_its_own_pace(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, pictures=10, fps=40)
    with SimulatedCamera(source=str(path)) as camera, playing(camera.url) as frames:
        started = time.monotonic()
        seen = numbers(frames, 41)
        took = time.monotonic() - started

        assert camera.summary == "h264 320x240 at 40 fps"
        assert seen == [(seen[0] + place) % 10 for place in range(41)]
        assert took > 0.4  # some were buffered while the client probed


def test_a_file_is_scaled_and_paced_when_that_is_wished(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, pictures=10, fps=10)
    with (
        SimulatedCamera(source=str(path), size=(160, 120), fps=50, codec="mjpeg") as camera,
        playing(camera.url) as frames,
    ):
        assert (next(frames).width, next(frames).height) == (160, 120)
        assert camera.summary == "mjpeg 160x120 at 50 fps"


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")

    with pytest.raises(SourceError, match=r"notes\.mp4: expected a video file"):
        SimulatedCamera(source=str(path)).start()
    with pytest.raises(SourceError, match=r"missing\.mp4: expected a video file"):
        SimulatedCamera(source=str(tmp_path / "missing.mp4")).start()


def test_a_size_that_cannot_be_streamed_is_refused() -> None:
    with pytest.raises(ValueError, match="steps of 8"):
        SimulatedCamera(codec="mjpeg", size=(644, 480)).start()
    with pytest.raises(ValueError, match="even sides"):
        SimulatedCamera(size=(641, 481)).start()


def test_a_port_in_use_is_an_error_and_nothing_stays_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        camera = SimulatedCamera(size=SIZE, port=other.getsockname()[1])

        with pytest.raises(OSError, match="in use"):
            camera.start()
    with camera:
        assert camera.url.startswith("rtsp://127.0.0.1:")


def test_a_camera_can_listen_on_ipv6() -> None:
    try:
        camera = SimulatedCamera(size=SIZE, fps=50, host="::1").start()
    except OSError:
        missing("IPv6", "sysctl net.ipv6.conf.lo.disable_ipv6=0")
        raise
    with playing(camera.url, transport="udp") as frames:
        assert numbers(frames, 2) == [0, 1]
    camera.stop()


def write_clip(path: Path, *, pictures: int, fps: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(pattern.draw(number, *SIZE), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
