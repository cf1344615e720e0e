"""What --check says of cameras that work, that misbehave, and that are none."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import pytest

from camera.simulated import SimulatedCamera
from sender.check.check import Check
from sender.rtsp.session import Unusual
from sender.sources.contract import SourceOptions
from sender.sources.rtsp_direct import DirectRtspSource
from shared import codec, pattern
from tests.program import Program
from tests.sender.doubles import RawServer, black_hole, free_port
from tests.sender.rtsp.scripted import ScriptedCamera, guarded, refusing, with_login

SIZE = (320, 240)


def check(url: str, *, seconds: float = 0.6, **options: Any) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, what the JSON says, and the sheet of the same kind of run."""
    limits: dict[str, Any] = {"open_timeout": 1.0, "read_timeout": 1.0}
    made = SourceOptions(**(limits | options))
    out = io.StringIO()
    status = Check(url, made, seconds=seconds).run(out, io.StringIO(), as_json=True)
    return status, json.loads(out.getvalue()), out.getvalue()


def check_long_enough(url: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """As `check`, for longer where a busy machine has shown only a few pictures yet."""
    for seconds in (0.6, 3.0, 10.0):
        status, said, _ = check(url, seconds=seconds, open_timeout=30.0, **options)
        if said.get("pictures", 0) >= 25:
            break
    return status, said


def sheet(url: str, *, seconds: float = 0.6, **options: Any) -> str:
    out = io.StringIO()
    limits: dict[str, Any] = {"open_timeout": 1.0, "read_timeout": 1.0}
    Check(url, SourceOptions(**(limits | options)), seconds=seconds).run(
        out, io.StringIO(), as_json=False
    )
    return out.getvalue()


# What can be read


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("kind", "name"), [("h264", "H.264"), ("h265", "H.265"), ("mjpeg", "Motion JPEG")]
)
def test_a_camera_is_described(kind: str, name: str, transport: str) -> None:
    with SimulatedCamera(codec=kind, size=SIZE, fps=50, gop=10) as camera:
        status, said = check_long_enough(camera.url, rtsp_transport=transport)

    assert status == 0
    assert said["readable"] is True
    assert (said["server"], said["reader"], said["transport"]) == (
        "Framepost-Camera",
        "direct",
        transport,
    )
    assert (said["codec"], said["width"], said["height"]) == (name, *SIZE)
    assert said["fps_announced"] == 50
    assert 10 < said["fps"] < 70
    assert said["key_pictures"] == (1 if kind == "mjpeg" else 10)
    assert said["bits_per_second"] > 1000
    assert said["packets_lost"] == said["pictures_damaged"] == 0
    assert said["packets"] >= said["pictures"] > 3
    assert 0 < said["connected_ms"] <= said["first_packet_ms"] <= said["first_picture_ms"]
    assert 5 < said["gap_p50_ms"] <= said["gap_p95_ms"] <= said["gap_worst_ms"]
    assert said["clock"] == "set"
    assert abs(said["clock_behind"]) < 1
    assert ("--rtsp-transport udp" in said["command"]) == (transport == "udp")


def test_the_profile_is_named() -> None:
    with (
        SimulatedCamera(codec="h264", size=SIZE, fps=50) as h264,
        SimulatedCamera(codec="h265", size=SIZE, fps=50) as h265,
    ):
        profiles = [check(camera.url, seconds=0.1)[1]["profile"] for camera in (h264, h265)]
        by_ffmpeg = check(h264.url, seconds=0.1, rtsp_reader="ffmpeg")[1]["profile"]

    assert profiles[0].startswith(by_ffmpeg)
    assert profiles[1].startswith("Main, level ")


def test_ffmpeg_as_the_reader_is_named() -> None:
    with SimulatedCamera(size=SIZE, fps=50, gop=10) as camera:
        status, said, _ = check(camera.url, rtsp_reader="ffmpeg")

    assert (status, said["reader"], said["codec"]) == (0, "ffmpeg", "H.264")
    assert said["key_pictures"] == 10
    assert said["packets"] is None
    assert "--rtsp-reader ffmpeg" in said["command"]


@pytest.mark.parametrize("when", ["open", "read"])
def test_what_the_direct_reader_gives_up_is_tried_with_ffmpeg(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(DirectRtspSource, when)

    def meet(source: DirectRtspSource) -> None:
        real(source)
        raise Unusual("the packets are interleaved")

    monkeypatch.setattr(DirectRtspSource, when, meet)
    with SimulatedCamera(size=SIZE, fps=50, gop=10) as camera:
        status, said, _ = check(camera.url)
        refused, _, _ = check(camera.url, rtsp_reader="direct")

    assert (status, said["reader"], said["packets"]) == (0, "ffmpeg", None)
    assert said["key_pictures"] == 10
    assert any("the packets are interleaved" in hint for hint in said["hints"])
    assert refused == 1


def test_the_sheet_says_it_in_words() -> None:
    with SimulatedCamera(size=SIZE, fps=50, gop=10) as camera:
        text = sheet(camera.url, seconds=2.0, open_timeout=30.0)

    assert text.startswith(f"{camera.url}: can be read\n")
    for part in ("H.264", "320x240", "pictures a second; announced: 50", "(10 pictures)", "Mbit/s"):
        assert part in text
    assert "start        python -m sender --camera cam1 --source rtsp://127.0.0.1" in text
    assert "hint" not in text


def test_an_mjpeg_camera_is_described() -> None:
    jpeg = codec.encode(pattern.draw(1, 160, 120), 80)

    def play(connection: socket.socket, _: int) -> None:
        connection.recv(4096)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nServer: Garden-Cam\r\n"
            b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
        )
        head = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        while True:
            connection.sendall(head + jpeg + b"\r\n")
            time.sleep(0.02)

    with RawServer(play) as server:
        status, said = check_long_enough(f"http://127.0.0.1:{server.port}/")

    assert (status, said["server"], said["reader"], said["codec"]) == (
        0,
        "Garden-Cam",
        "http",
        "Motion JPEG",
    )
    assert (said["width"], said["height"], said["key_pictures"]) == (160, 120, 1)
    assert said["bits_per_second"] > 8 * len(jpeg) * 10


def test_a_folder_and_the_test_pattern_are_read(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), pattern.draw(number, 160, 120))

    for source in (str(tmp_path), "testsrc"):
        status, said, _ = check(source, seconds=0.2)
        assert (status, said["readable"]) == (0, True)
        assert said["pictures"] >= 3


# What could be better


def test_rare_key_frames_get_a_hint() -> None:
    with SimulatedCamera(size=SIZE, fps=100, gop=450) as camera:
        status, said, _ = check(camera.url, seconds=4.2)

    assert status == 0
    assert any("key frames come rarely" in hint for hint in said["hints"])


def test_damage_is_counted_and_gets_a_hint() -> None:
    with SimulatedCamera(size=SIZE, fps=50, gop=5, bitrate=4_000_000) as camera:
        camera.corrupt(0.05, seed=3)
        _, said, _ = check(camera.url, seconds=1.5)

    assert said["pictures_damaged"] + said["pictures_lost"] > 0
    assert any("bit rate" in hint for hint in said["hints"])


# What cannot be read


def cause(url: str, **options: Any) -> tuple[str, str]:
    status, said, text = check(url, **options)
    assert status == 1
    assert said["readable"] is False
    assert said["command"] is None
    assert "wrong-secret" not in text
    return said["cause"], " ".join([said["problem"], *said["hints"]])


def test_nobody_listens() -> None:
    word, text = cause(f"rtsp://127.0.0.1:{free_port()}/live")

    assert word == "refused"
    assert "RTSP is usually 554" in text


def test_the_name_is_not_known() -> None:
    word, text = cause("rtsp://no-such-camera.invalid/live", open_timeout=10.0)

    assert word in ("dns", "unreachable")  # unreachable: a name server that says nothing
    assert "address" in text


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:{}/live", "http://127.0.0.1:{}/video"])
def test_somebody_accepts_and_says_nothing(url: str) -> None:
    with black_hole() as port:
        word, text = cause(url.format(port))

    assert word == "silent"
    assert "no answer in time; the connection is taken, and nothing comes" in text


def test_a_web_server_is_no_camera() -> None:
    def serve(connection: socket.socket, _: int) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with RawServer(serve) as server:
        word, text = cause(f"rtsp://127.0.0.1:{server.port}/live")

    assert word == "not_rtsp"
    assert "web server" in text


def test_a_wrong_password_is_told_from_none() -> None:
    with SimulatedCamera(size=SIZE, user="admin", password="right") as camera:
        without = cause(camera.url)
        wrong = cause(with_login(camera.url))

    assert without[0] == wrong[0] == "auth"
    assert "it wants a user (it asks for digest)" in without[1]
    assert "does not take this user and password (it asks for digest)" in wrong[1]


def test_the_way_to_log_in_is_named() -> None:
    with ScriptedCamera(guarded('Basic realm="x"', grants=lambda said: False)) as camera:
        word, text = cause(with_login(camera.url))

    assert (word, "asks for basic" in text) == ("auth", True)


@pytest.mark.parametrize(
    ("method", "status", "word", "part"),
    [
        ("DESCRIBE", "404 Not Found", "not_found", "/Streaming/Channels/101"),
        ("DESCRIBE", "503 Busy", "busy", "too many viewers"),
        ("SETUP", "453 Not Enough Bandwidth", "busy", "sub-stream"),
        ("SETUP", "461 Unsupported Transport", "transport", "--rtsp-transport udp"),
        ("DESCRIBE", "403 Forbidden", "auth", "user"),
    ],
)
def test_a_refusal_says_what_to_do(method: str, status: str, word: str, part: str) -> None:
    with ScriptedCamera({method: refusing(status)}) as camera:
        found, text = cause(camera.url)

    assert found == word
    assert part in text


def test_a_camera_that_plays_and_sends_nothing_by_udp_is_behind_a_firewall() -> None:
    with ScriptedCamera() as camera:
        word, text = cause(camera.url, rtsp_transport="udp")

    assert word == "no_packets"
    assert "--rtsp-transport tcp" in text


def test_no_video_in_it() -> None:
    with ScriptedCamera(sdp=b"v=0\r\nm=audio 0 RTP/AVP 0\r\n") as camera:
        word, text = cause(camera.url)

    assert word == "format"
    assert "no video" in text


def test_a_codec_that_nobody_reads() -> None:
    sdp = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 X-HOLO/90000\r\na=control:track\r\n"
    with ScriptedCamera(sdp=sdp) as camera:
        word, _ = cause(camera.url, rtsp_reader="direct")

    assert word == "format"


def test_pictures_that_stop_are_told_of() -> None:
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        threading.Timer(0.3, camera.drop_clients).start()
        word, _ = cause(camera.url, seconds=3)

    assert word == "ended"


def test_a_file_that_is_none_is_a_wrong_setting() -> None:
    with Program("sender", "--check", "no-such-clip.mp4") as program:
        assert program.wait() == 2

    assert "no-such-clip.mp4" in program.output


# As a program


def test_the_program_says_it_and_ends() -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50, user="admin", password="wrong-secret") as camera,
        Program("sender", "--check", camera.login_url, "--check-seconds", "0.5") as program,
    ):
        assert program.wait() == 0

    assert "can be read" in program.lines[0]
    assert "wrong-secret" not in program.output
    assert "USER:PASSWORD@" in program.output


def test_ctrl_c_ends_it_at_once() -> None:
    with (
        SimulatedCamera(size=SIZE, fps=50) as camera,
        Program("sender", "--check", camera.url, "--check-seconds", "60") as program,
    ):
        assert camera.wait_until(lambda it: it.clients > 0, 30)
        started = time.monotonic()
        assert program.stop(signal.SIGINT) == 1
        assert time.monotonic() - started < 30

    assert "stopped before it was done" in program.output
    assert "Traceback" not in program.output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_keeps_nothing_of_it() -> None:
    err = Terminal()
    with SimulatedCamera(size=SIZE, fps=50) as camera:
        Check(camera.url, SourceOptions(), seconds=0.4).run(io.StringIO(), err, as_json=False)

    assert ": connecting" in err.getvalue()
    assert re.search(r"0\.\d s, pictures: \d", err.getvalue())
    assert err.getvalue().endswith("\r\x1b[K")
