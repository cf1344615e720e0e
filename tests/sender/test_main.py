from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import cv2
import pytest

from shared import pattern
from tests.program import Program
from tests.sender.doubles import PostServer, black_hole, free_port, http_reply


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of 30 pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(30):
        cv2.imwrite(str(pictures / f"{number}.jpg"), pattern.draw(number, 160, 120))
    return pictures


def sender(*arguments: str, env: dict[str, str] | None = None) -> Program:
    return Program("sender", *arguments, env=env)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_it_well_with_a_summary(number: int) -> None:
    with PostServer() as server:
        with sender("--source", "testsrc", "--size", "320x240", "--to", server.url) as program:
            server.wait_for(10)
            started = time.monotonic()
            assert program.stop(number) == 0
            assert time.monotonic() - started < 20

        summary = re.search(r"in all captured=(\d+) posted=(\d+)", program.output)
        assert summary is not None
        assert int(summary[2]) == len(server.requests) >= 10
        assert len(program.lines) == 2  # the size and the summary


def test_a_file_is_delivered_whole_and_ends_it_well(folder: Path) -> None:
    with (
        PostServer(lambda n: http_reply("503 Busy") if n in (3, 9) else http_reply()) as server,
        sender("--source", str(folder), "--pace", "fast", "--to", server.url) as program,
    ):
        assert program.wait() == 0

    assert "captured=30 posted=30 superseded=0 refused=0 failed=0" in program.output
    bodies = [body for _, _, body in server.requests]
    files = sorted(folder.iterdir(), key=lambda path: int(path.stem))
    assert [body for n, body in enumerate(bodies) if n not in (3, 9)] == [
        file.read_bytes() for file in files
    ]


def test_a_finite_source_shows_how_far_it_is(folder: Path) -> None:
    with (
        PostServer() as server,
        sender(
            "--source", str(folder), "--pace", "fast", "--progress", "--to", server.url
        ) as program,
    ):
        assert program.wait() == 0

    assert re.search(r"cam1: 100%.*30/30", program.output)


def test_a_file_that_is_refused_ends_it_badly(folder: Path) -> None:
    with (
        PostServer(lambda _: http_reply("415 Unsupported", b"no pictures please")) as server,
        sender("--source", str(folder), "--pace", "fast", "--to", server.url) as program,
    ):
        assert program.wait() == 1

    assert program.output.count("no pictures please") == 1


def test_a_source_that_is_no_video_ends_it_badly_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "notes.mp4"
    file.write_bytes(b"no video at all" * 1000)
    with sender("--source", str(file)) as program:
        assert program.wait() == 1

    assert sum("is no video that FFmpeg can read" in line for line in program.lines) == 1
    assert "Traceback" not in program.output


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="no source"),
        pytest.param(("--source", "no/such/file.mp4"), id="no such file"),
        pytest.param(("--source", "rstp://h/"), id="a typo in the scheme"),
        pytest.param(("--source", "testsrc", "--quality", "high"), id="a wrong quality"),
        pytest.param(("--source", "testsrc", "--to", "ftp://h"), id="a wrong receiver"),
        pytest.param(("--nonsense",), id="an unknown option"),
        pytest.param(("--config", "no/such.yaml"), id="no such YAML"),
    ],
)
def test_a_wrong_setting_ends_it_with_2_and_one_sentence(arguments: tuple[str, ...]) -> None:
    with sender(*arguments) as program:
        assert program.wait() == 2

    assert len(program.lines) == 1
    assert program.lines[0].startswith("sender: ")


def test_a_status_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with sender("--source", "testsrc", "--status-port", str(port)) as program:
            assert program.wait() == 1

    assert program.lines == [
        f"sender: SENDER_STATUS_PORT: 127.0.0.1:{port} is in use by another program"
    ]


def test_a_dead_receiver_and_a_silent_camera_do_not_hold_up_a_stop(tmp_path: Path) -> None:
    with black_hole() as mute, black_hole() as silent:
        file = tmp_path / "cameras.yaml"
        file.write_text(
            f"to: http://127.0.0.1:{mute}\n"
            "cameras:\n"
            f"- {{camera: silent, source: 'rtsp://127.0.0.1:{silent}/'}}\n"
            "- {camera: alive, source: testsrc, size: 320x240}\n"
        )
        with sender("--config", str(file), "--deadline", "120") as program:
            program.wait_for("camera alive: the picture is")
            started = time.monotonic()
            assert program.stop() == 0
            assert time.monotonic() - started < 30


def test_a_thread_that_hangs_beyond_every_reach_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    pipe = tmp_path / "clip.mp4"
    os.mkfifo(pipe)  # to open it waits for somebody who writes
    with PostServer() as server:
        file = tmp_path / "cameras.yaml"
        file.write_text(
            f"to: {server.url}\n"
            "cameras:\n"
            f"- {{camera: hung, source: {pipe}}}\n"
            "- {camera: alive, source: testsrc, size: 320x240}\n"
        )
        with sender("--config", str(file)) as program:
            server.wait_for(5)
            started = time.monotonic()
            assert program.stop() == 0
            assert time.monotonic() - started < 30


def test_a_receiver_that_comes_back_gets_frames_within_two_seconds() -> None:
    port = free_port()
    with sender(
        "--source", "testsrc", "--size", "320x240", "--to", f"http://127.0.0.1:{port}"
    ) as program:
        program.wait_for("gives no answer")
        for _ in range(2):
            with PostServer(port=port) as server:
                server.wait_for(1, timeout=2)
                server.wait_for(20)
        assert program.stop() == 0

    assert program.output.count("gives no answer") <= 2


def test_no_password_is_in_any_output(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    port = free_port()
    file.write_text(
        f"to: http://me:canary1@127.0.0.1:{port}/\n"
        "token: canary2\n"
        "log-level: debug\n"
        "cameras:\n"
        f"- {{camera: a, source: 'rtsp://u:canary3@127.0.0.1:{port}/x?token=canary4'}}\n"
        f"- {{camera: b, source: 'http://u:can%40ary5@127.0.0.1:{port}/y.jpg'}}\n"
        "- {camera: c, source: testsrc, size: 320x240}\n"
    )
    with sender("--config", str(file), "--status-port", "0") as program:
        url = program.wait_for(r"status on (http://[^ ]+)/status")[1]
        for camera in "abc":
            program.wait_for(f"camera {camera}: .*trying again")
        seen = ""
        for path in ("/status", "/metrics", "/healthz"):
            with urllib.request.urlopen(url + path, timeout=30) as answer:
                seen += answer.read().decode()
        assert program.stop() == 0

    assert not re.search("canary|can%40ary|can@ary", seen + program.output)
    assert "***" in seen


def test_eight_cameras_run_in_one_process(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    cameras = "".join(f"- {{camera: c{n}, source: testsrc}}\n" for n in range(8))
    with PostServer() as server:
        file.write_text(
            f"to: {server.url}\nsize: 160x120\nfps: 20\nstatus-port: 0\ncameras:\n{cameras}"
        )
        with sender("--config", str(file)) as program:
            url = program.wait_for(r"status on ([^ ]+)")[1]
            server.wait_for(480)
            with urllib.request.urlopen(url, timeout=30) as answer:
                status = json.load(answer)["cameras"]
            assert program.stop() == 0

    assert len(status) == 8
    for camera in status:
        assert camera["state"] == "live"
        assert camera["posted"] > 30
        settled = sum(camera["refused"].values()) + sum(camera["failed"].values())
        assert camera["captured"] == (
            camera["posted"] + camera["superseded"] + settled + camera["waiting"]
        )
