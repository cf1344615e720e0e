"""`python -m camera` as a user meets it, and players that are no Python."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from camera.__main__ import main
from camera.simulated import SimulatedCamera
from tests.camera.player import numbers, playing
from tests.camera.raw_client import RawClient
from tests.conftest import missing

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `python -m camera --port 0 arguments`; give the process and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "camera", "--port", "0", "--size", "320x240", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process, process.stderr.readline()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def url_in(line: str) -> str:
    found = re.search(r"rtsp://\S+", line)
    assert found is not None, line
    return found[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_without_noise(number: signal.Signals) -> None:
    with program() as (process, line), playing(url_in(line)) as frames:
        assert numbers(frames, 3)[0] >= 0
        process.send_signal(number)

        assert process.wait(30) == 0
        assert process.stderr is not None
        rest = process.stderr.read()
    assert "h264 320x240 at 25 fps" in line
    assert re.fullmatch(r".* plays over TCP\n.* left after \d+ frames, 0 of them dropped\n", rest)


def test_the_password_comes_from_the_environment_and_is_never_shown() -> None:
    with program("--user", "me", CAMERA_PASSWORD="canary-7") as (process, line):
        with RawClient(url_in(line)) as client:
            assert client.request("DESCRIBE").status == 401
        with playing(url_in(line).replace("//", "//me:canary-7@")) as frames:
            next(frames)
        process.terminate()
        process.wait(60)
        assert process.stderr is not None
        assert "canary-7" not in line + process.stderr.read()


def test_faults_can_be_asked_for() -> None:
    arguments = ("--fault", "deny", "--fault", "stall-after=50")
    with program(*arguments) as (process, line):
        assert "fault: deny" in line
        assert process.stderr is not None
        with RawClient(url_in(process.stderr.readline())) as client:
            assert client.request("OPTIONS").status == 401


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        (["--port", "70000"], ["CAMERA_PORT: expected a port from 0"]),
        (["--codec", "vp9", "--size", "big", "--fps", "0"],
         ["CAMERA_CODEC: expected h264", "CAMERA_SIZE: expected WIDTHxHEIGHT",
          "CAMERA_FPS: expected frames a second"]),
        (["--size", "641x481"], ["size: expected even sides"]),
        (["--size", "1280x100"], ["size: the test pattern needs"]),
        (["--codec", "mjpeg", "--size", "3840x2160"], ["size: expected sides from 8 to 2040"]),
        (["--fault", "explode"], ["CAMERA_FAULT: expected stall"]),
        (["--fault", "resize-after=5:641x480"], ["size: expected even sides"]),
        (["--user", "me"], ["CAMERA_USER and CAMERA_PASSWORD: expected both or none"]),
        (["--password", "canary-7"], ["CAMERA_USER and CAMERA_PASSWORD: expected both or none"]),
        (["--source", "missing.mp4"], ["CAMERA_SOURCE: missing.mp4: expected a video file"]),
        (["--source", __file__], [f"CAMERA_SOURCE: {__file__}: expected a video file"]),
    ],
)  # fmt: skip
def test_wrong_settings_are_named_one_to_a_line(
    arguments: list[str], problems: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *arguments]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(problems)
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith(f"camera: {problem}")
        assert "canary-7" not in line


def test_a_port_in_use_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--port", str(port)]) == 1

    assert capsys.readouterr().err == (
        f"camera: 127.0.0.1 port {port}: cannot listen (Address already in use)\n"
    )


@pytest.mark.parametrize(
    ("host", "reason"),
    [("no.such.invalid", "[^()]+"), ("192.0.2.1", "Cannot assign requested address")],
)
def test_a_host_that_is_not_ours_is_said_in_one_sentence(
    host: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", "--host", host]) == 1

    said = capsys.readouterr().err
    assert re.fullmatch(rf"camera: {host} port 0: cannot listen \({reason}\)\n", said)
    assert "UDP" not in said


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("codec", "name"), [("h264", "h264"), ("h265", "hevc"), ("mjpeg", "mjpeg")]
)
def test_ffprobe_knows_what_it_sees(codec: str, name: str, transport: str) -> None:
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        missing("ffprobe", "apt-get install ffmpeg")
    assert ffprobe is not None
    with SimulatedCamera(size=(320, 240), codec=codec, fps=50, user="u", password="p") as camera:
        shown = subprocess.run(
            [ffprobe, "-v", "error", "-rtsp_transport", transport, "-of", "csv=p=0",
             "-show_entries", "stream=codec_name,width,height,avg_frame_rate", camera.login_url],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip

    *what, rate = shown.stdout.strip().split(",")
    assert (what, shown.stderr) == ([name, "320", "240"], "")
    # It counts the few frames that it waits for: on a busy machine some are missing, or too many.
    assert rate == "0/0" or 25 <= Fraction(rate) <= 60
