"""`--log-format json` with the real programs: every line of each is a JSON object."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests

from tests.conftest import MakeFrame
from tests.program import Command, Program, Receiver
from tests.redis_server import RedisServer

JSON = ("--log-format", "json")
_HOOK = """
def process(frame):
    print("seen", frame.seq)
    raise ValueError("no face")
"""


def read(program: Program) -> list[dict[str, Any]]:
    """Return its lines; fail on one that is no object with the five fields."""
    lines = [json.loads(line) for line in program.lines]
    for line in lines:
        assert {"time", "level", "program", "message", "logger"} <= set(line), line
    return lines


def test_a_receiver_tells_of_its_hook_line_by_line(tmp_path: Path, make_frame: MakeFrame) -> None:
    (tmp_path / "log_hook.py").write_text(_HOOK, encoding="utf-8")

    with Receiver(*JSON, "--hook", "log_hook", "--hook-path", str(tmp_path)) as receiver:
        receiver.wait_for("is ready")
        url = f"{receiver.url}/cameras/cam1/frames"
        body = make_frame(7).data
        answer = requests.post(
            url, body, headers={"Content-Type": "image/jpeg", "Prefer": "wait=10"}, timeout=15
        )
        assert answer.status_code == 500
        receiver.wait_for(r"seen")
        receiver.wait_for(r"Traceback")
        assert receiver.stop() == 0

    lines = read(receiver)
    assert {line["program"] for line in lines} == {"receiver"}
    printed = next(line for line in lines if "| seen" in line["message"])
    assert printed["worker"] == 1
    failed = next(line for line in lines if line["level"] == "warning")
    assert failed["hook"] == "log_hook"
    assert "ValueError: no face (log_hook.py:4)" in failed["message"]


def test_camera_and_sender_say_whose_line_it_is_and_no_password() -> None:
    with Program("camera", "--port", "0", *JSON, "--user", "u", "--password", "canary") as camera:
        port = camera.wait_for(r"rtsp://[^\"]*127\.0\.0\.1:(\d+)/")[1]
        source = f"rtsp://u:wrong-canary@127.0.0.1:{port}/"
        with Program("sender", *JSON, "--camera", "door", "--source", source) as sender:
            sender.wait_for("cannot be opened")
            assert sender.stop() == 0
        assert camera.stop() == 0

    lost = next(line for line in read(sender) if line["level"] == "warning")
    assert lost["camera"] == "door"
    assert read(camera)[0]["program"] == "camera"
    assert "canary" not in sender.output + camera.output


def test_a_worker_names_the_bus(tmp_path: Path) -> None:
    (tmp_path / "log_hook.py").write_text(_HOOK, encoding="utf-8")
    hook = ("--hook", "log_hook", "--hook-path", str(tmp_path))

    with RedisServer() as redis:
        bus = ("--bus", redis.url)
        with Program("receiver.worker", "--port", "0", *JSON, *hook, *bus) as worker:
            worker.wait_for("listening on")
            redis.stop()
            worker.wait_for("bus redis")
            assert worker.stop() == 0

    about = next(line for line in read(worker) if line["level"] == "warning")
    assert about["program"] == "worker"
    assert about["bus"].startswith("redis://127.0.0.1")


def test_what_ends_a_thread_or_the_program_is_a_line_too() -> None:
    code = (
        "import threading; from shared import log; log.configure('sender', form='json');"
        "t = threading.Thread(target=lambda: 1 / 0, name='odd'); t.start(); t.join();"
        "raise KeyError('gone')"
    )
    with Command(sys.executable, "-c", code) as program:
        assert program.wait() == 1

    thread, end = (json.loads(line) for line in program.lines)
    assert thread["message"] == "thread odd ended by a bug"
    assert "ZeroDivisionError" in thread["exception"]
    assert end["level"] == "critical"
    assert "KeyError: 'gone'" in end["exception"]
