"""How the camera misbehaves when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise

import av
import pytest

from camera.faults import Corruption, Fault
from camera.simulated import SimulatedCamera
from tests.camera.player import mark, numbers, playing
from tests.camera.raw_client import RawClient

SIZE = (320, 240)


def test_a_stalled_camera_sends_nothing_and_still_answers() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, RawClient(camera.url) as client:
        client.play()
        client.packet()
        camera.stall()
        camera.wait_until(lambda camera: False, timeout=0.1)  # one may have been under way
        sent = camera.frames_sent

        assert client.request("OPTIONS").status == 200
        assert not camera.wait_until(lambda camera: camera.frames_sent > sent, timeout=0.3)
        camera.resume()
        assert camera.wait_until(lambda camera: camera.frames_sent > sent)
        assert client.packet()


def test_dropped_clients_may_come_again() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        with RawClient(camera.url) as client:
            client.play()
            camera.drop_clients()
            with pytest.raises((EOFError, ConnectionError)):
                read_on(client)
        with playing(camera.url) as frames:
            numbers(frames, 2)


def test_a_frozen_picture_goes_on_arriving() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, playing(camera.url) as frames:
        next(frames)
        camera.freeze()
        last = -1
        while (number := mark(next(frames)).number) != last:
            last = number
        assert numbers(frames, 10) == [last] * 10
        camera.resume()
        while mark(next(frames)).number == last:
            pass


def test_a_frozen_picture_can_change_its_size() -> None:
    with SimulatedCamera(size=SIZE, fps=50, codec="mjpeg") as camera, playing(camera.url) as frames:
        next(frames)
        camera.freeze()
        camera.resize(160, 120)
        while next(frames).width != 160:
            pass
        last, *others = numbers(frames, 5)
        assert others == [last] * 4


@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
def test_the_size_changes_in_mid_stream(codec: str) -> None:
    with SimulatedCamera(size=(640, 360), fps=50, codec=codec) as camera:
        with playing(camera.url) as frames:
            first = next(frames)
            camera.resize(320, 240)
            before = mark(first).number
            while (frame := next(frames)).width == 640:
                assert mark(frame).number == before + 1
                before += 1
            assert (frame.width, frame.height) == (320, 240)
            assert mark(frame).number == before + 1
        with playing(camera.url) as frames:
            assert next(frames).width == 320


def test_a_size_that_cannot_be_is_refused_in_mid_stream() -> None:
    with SimulatedCamera(size=SIZE, codec="mjpeg") as camera:
        with pytest.raises(ValueError, match="steps of 8"):
            camera.resize(324, 240)
        with pytest.raises(ValueError, match="test pattern"):
            camera.resize(640, 80)


def test_corrupt_packets_reach_the_decoder() -> None:
    with SimulatedCamera(size=(640, 480), fps=50, bitrate=8_000_000) as camera:
        camera.corrupt(0.3, seed=1)
        damaged = 0
        try:
            with playing(camera.url) as frames:
                for _ in range(60):
                    damaged += next(frames).is_corrupt
        except av.FFmpegError:
            damaged += 1
        assert damaged
        camera.resume()
        with playing(camera.url) as frames:
            numbers(frames, 30)


def test_the_same_seed_damages_the_same_packets_and_never_their_headers() -> None:
    packets = [bytes(range(100)) for _ in range(1000)]
    one, other, third = Corruption(0.1, 7), Corruption(0.1, 7), Corruption(0.1, 8)
    damaged = [one.damage(packet) for packet in packets]

    assert damaged == [other.damage(packet) for packet in packets]
    assert damaged != [third.damage(packet) for packet in packets]
    assert 50 < sum(packet != packets[0] for packet in damaged) < 200
    assert all(packet[:12] == packets[0][:12] and len(packet) == 100 for packet in damaged)


def test_a_refusing_camera_keeps_the_clients_it_has() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera, ExitStack() as clients:
        for _ in range(20):
            clients.enter_context(RawClient(camera.url))
        client = clients.enter_context(RawClient(camera.url))  # so new that it may be half-made
        camera.refuse()
        with pytest.raises(ConnectionRefusedError):
            RawClient(camera.url)
        assert client.request("OPTIONS").status == 200
        camera.resume()
        camera.resume()
        with RawClient(camera.url) as other:
            assert other.request("OPTIONS").status == 200


def test_a_silent_camera_takes_connections_and_says_nothing() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        camera.silence()
        with RawClient(camera.url, timeout=0.3) as client, pytest.raises(TimeoutError):
            client.request("OPTIONS")
        camera.resume()
        with RawClient(camera.url) as client:
            assert client.request("OPTIONS").status == 200


def test_a_denying_camera_believes_nobody() -> None:
    with SimulatedCamera(size=SIZE, fps=50, user="u", password="p/@ß") as camera:
        with playing(camera.login_url) as frames:
            next(frames)
        camera.deny()
        with pytest.raises(av.HTTPUnauthorizedError), playing(camera.login_url):
            pass
        with RawClient(camera.url) as client:
            assert client.request("OPTIONS").status == 401


def test_a_hiding_camera_has_nothing_under_any_path() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        camera.hide()
        with pytest.raises(av.HTTPNotFoundError), playing(camera.url):
            pass
        camera.resume()
        with playing(camera.url) as frames:
            next(frames)


@pytest.mark.parametrize(("before", "after"), [("h264", "h265"), ("h265", "mjpeg")])
def test_the_codec_changes_in_mid_stream_and_whoever_comes_anew_is_told(
    before: str, after: str
) -> None:
    kinds = {"h264": 96, "h265": 96, "mjpeg": 26}
    with SimulatedCamera(size=SIZE, fps=50, codec=before) as camera:
        with RawClient(camera.url) as client:
            client.play()
            assert client.rtp()[1] & 0x7F == kinds[before]
            camera.recode(after)
            sent = camera.frames_sent
            assert camera.wait_until(lambda camera: camera.frames_sent > sent + 2)
            assert after.upper() in client.request("DESCRIBE").body.replace("JPEG", "MJPEG")
        with playing(camera.url) as frames:
            numbers(frames, 5)


def test_the_time_jumps_wraps_and_is_lost() -> None:
    def time_of_next() -> int:
        return int.from_bytes(client.rtp()[4:8], "big")

    def wait_for(reached: Callable[[int], bool]) -> None:
        while not reached(time_of_next()):
            pass

    second, all_times = 90_000, 1 << 32
    with SimulatedCamera(size=SIZE, fps=50) as camera, RawClient(camera.url) as client:
        client.play()
        before = time_of_next()
        camera.jump(-3600)
        wait_for(lambda time: 3500 * second < (before - time) % all_times < 3600 * second)
        camera.wrap()
        wait_for(lambda time: time > all_times - second)
        wait_for(lambda time: time < 60 * second)
        camera.forget_time()
        wait_for(lambda time: time == 0)
        assert time_of_next() == 0


def test_packets_are_cut_short_or_become_noise() -> None:
    packets = [bytes(range(100)) for _ in range(200)]
    cut = [Corruption(1.0, 1, "truncate").damage(packet) for packet in packets]
    noise = Corruption(0.5, 1, "garble")

    assert all(len(one) < 100 and packets[0].startswith(one) for one in cut)
    assert sum(noise.damage(packet) != packet for packet in packets) == noise.count
    assert 60 < noise.count < 140


def test_packets_get_lost_and_leave_a_gap_in_the_numbers() -> None:
    with SimulatedCamera(size=SIZE, fps=100) as camera, RawClient(camera.url) as client:
        client.play()
        camera.corrupt(0.5, seed=1, how="lose")
        numbers = [int.from_bytes(client.rtp()[2:4], "big") for _ in range(100)]

    steps = [(after - before) % 65536 for before, after in pairwise(numbers)]
    assert 150 < sum(steps) < 250


def test_faults_come_at_their_frame() -> None:
    faults = [
        Fault.parse("stall-after=30"),
        Fault.parse("freeze-after=20"),
        Fault.parse("resize-after=10:160x120"),
    ]
    with (
        SimulatedCamera(size=SIZE, fps=100, codec="mjpeg", faults=faults) as camera,
        playing(camera.url) as frames,
    ):
        seen = [next(frames) for _ in range(30)]

        assert [frame.width for frame in seen] == [320] * 10 + [160] * 20
        assert [mark(frame).number for frame in seen] == [*range(20), *[19] * 10]
        assert not camera.wait_until(lambda camera: camera.frames_sent > 30, timeout=0.2)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stall", Fault("stall")),
        ("drop-after=50", Fault("drop", 50)),
        ("corrupt=0.05", Fault("corrupt", share=0.05)),
        ("corrupt-after=9:1:3", Fault("corrupt", 9, share=1.0, seed=3)),
        ("garble=0.01:7", Fault("garble", share=0.01, seed=7)),
        ("lose=0.05", Fault("lose", share=0.05)),
        ("recode-after=9:h265", Fault("recode", 9, codec="h265")),
        ("jump=-3600", Fault("jump", seconds=-3600)),
        ("hide", Fault("hide")),
        ("resize=320x240", Fault("resize", size=(320, 240))),
        ("resize-after=5:320x240", Fault("resize", 5, size=(320, 240))),
    ],
)
def test_a_fault_is_read_as_it_is_written(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "stal", "stall=5", "stall-after", "stall-after=x", "resize", "resize=320", "corrupt=2",
     "corrupt", "corrupt=nan", "resize-after=5", "drop-after=5:5", "recode=av1", "jump=x",
     "hide=1"],
)  # fmt: skip
def test_a_fault_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected stall"):
        Fault.parse(text)


def read_on(client: RawClient) -> None:
    while True:
        client.packet()
