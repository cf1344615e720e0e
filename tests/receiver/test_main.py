"""`python -m receiver` as a user runs it: what it says, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest
import requests

from tests.conftest import MakeFrame
from tests.program import Program, Receiver


def post(receiver: Receiver, data: bytes, camera: str = "cam1") -> requests.Response:
    return requests.post(f"{receiver.url}/cameras/{camera}/frames", data=data, timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_0_when_it_is_asked_to(number: int, make_frame: MakeFrame) -> None:
    with Receiver("--hook", "hooks.brightness:process") as receiver:
        assert post(receiver, make_frame().data).status_code == 202

        assert receiver.stop(number, seconds=8) == 0
    assert "Traceback" not in receiver.output
    assert "WARNING" not in receiver.output


def test_ctrl_c_reaches_all_its_processes_and_ends_it_with_0() -> None:
    with Receiver("--hook", "hooks.brightness:process") as receiver:
        os.killpg(receiver.pid, signal.SIGINT)  # as a terminal does

        assert receiver.wait(seconds=30) == 0
    assert "ERROR" not in receiver.output
    assert "Traceback" not in receiver.output


def test_it_says_nothing_but_where_it_listens(make_frame: MakeFrame) -> None:
    with Receiver() as receiver:
        post(receiver, make_frame().data)
        receiver.stop()

    assert all(" receiver " in line for line in receiver.lines), receiver.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["--port", "high"],
            r"^receiver: RECEIVER_PORT: expected a port from 0 .*, got 'high'$",
            id="port",
        ),
        pytest.param(
            ["--hook", "no.such:hook"], r"^receiver: hook no\.such:hook: there is no", id="hook"
        ),
        pytest.param(
            ["--hook", "hooks.motoin:Motion"], r"did you mean 'motion'", id="misspelt hook"
        ),
        pytest.param(
            ["--hook", "hooks.edges", "--hook", "hooks.motion:Motion"],
            r"^receiver: hook hooks\.edges: expected one hook for the cameras without",
            id="two hooks for all",
        ),
        pytest.param(
            ["--max-pixels", "100000000"], r"expected pixels from 64 to 33177600", id="pixels"
        ),
        pytest.param(["--config", "/nowhere.yaml"], r"/nowhere\.yaml: cannot be read", id="file"),
        pytest.param(["--prot", "1"], r"unrecognized arguments: --prot", id="option"),
    ],
)
def test_wrong_settings_end_it_with_2_and_a_sentence(arguments: list[str], sentence: str) -> None:
    with Program("receiver", *arguments) as program:
        assert program.wait() == 2
        program.wait_for(sentence)
    assert "Traceback" not in program.output


def test_all_wrong_settings_are_told_together() -> None:
    with Program("receiver", "--port", "x", env={"RECEIVER_ISOLATION": "fork"}) as program:
        assert program.wait() == 2
    assert "RECEIVER_PORT" in program.output
    assert "RECEIVER_ISOLATION: expected process or thread, got 'fork'" in program.output


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Program("receiver", "--port", str(port)) as program:
            assert program.wait() == 1
    assert program.lines == [
        f"receiver: RECEIVER_PORT: 127.0.0.1:{port} is in use by another program"
    ]


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with Program("receiver", "--port", "0", "--insecure", "--host", "..") as program:
        assert program.wait() == 1
    assert program.lines == [
        "receiver: RECEIVER_HOST: expected an address of this machine, got '..'"
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_its_machine_it_wants_a_token(host: str) -> None:
    with Program("receiver", "--port", "0", "--host", host) as program:
        assert program.wait() == 2

    assert program.lines == [
        "receiver: RECEIVER_HOST: expected a token (RECEIVER_TOKEN or --tokens) for whoever comes "
        f"from other machines, got {host} and none; --insecure if all may do everything"
    ]


@pytest.mark.parametrize("option", ["--insecure", "--token=" + "t" * 24])
def test_beyond_its_machine_it_listens_with_a_token_or_a_word(option: str) -> None:
    with Receiver("--host", "0.0.0.0", option) as receiver:
        assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200


def test_it_listens_on_a_name() -> None:
    with Receiver("--host", "localhost") as receiver:
        assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200


def test_hooks_in_the_environment_are_separated_by_commas() -> None:
    hooks = "hooks.edges:process, door=hooks.brightness:process"
    with Receiver(env={"RECEIVER_HOOK": hooks}) as receiver:
        workers = requests.get(f"{receiver.url}/hooks", timeout=30).json()["hooks"]
    assert [worker["camera"] for worker in workers] == ["*", "door"]


def test_a_client_that_is_stuck_does_not_hold_up_the_end(make_frame: MakeFrame) -> None:
    data = make_frame().data
    head = f"POST /cameras/cam1/frames HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    with (
        Receiver() as receiver,
        socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as stuck,
    ):
        stuck.sendall(head.encode() + data[:-1])
        post(receiver, data)
        started = time.monotonic()
        assert receiver.stop() == 0
    assert time.monotonic() - started < 20


def test_two_receivers_do_not_share_a_port() -> None:
    with Receiver() as first, Program("receiver", "--port", str(first.port)) as second:
        assert second.wait() == 1
    assert "is in use" in second.output


def test_frames_in_flight_are_answered_and_viewers_let_go_at_the_end(
    make_frame: MakeFrame,
) -> None:
    with Receiver() as receiver:
        post(receiver, make_frame().data)
        viewer = requests.get(f"{receiver.url}/cameras/cam1/stream.mjpg", stream=True, timeout=30)
        ended = threading.Event()

        def watch() -> None:
            for _ in viewer.iter_content(1024):
                pass
            ended.set()

        thread = threading.Thread(target=watch)
        thread.start()
        assert receiver.stop(seconds=20) == 0
        assert ended.wait(30)
        thread.join()
        viewer.close()


def test_a_receiver_that_was_killed_leaves_no_process(make_frame: MakeFrame) -> None:
    with Receiver("--hook", "hooks.brightness:process") as receiver:
        post(receiver, make_frame().data)
        receiver.wait_for("ready")
        family = psutil.Process(receiver.pid).children(recursive=True)
        assert len(family) >= 2

        receiver.stop(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=30)

    assert alive == []


def test_a_hook_with_a_syntax_error_is_shown_and_mended_while_it_runs(
    tmp_path: Path, make_frame: MakeFrame
) -> None:
    hook = tmp_path / "broken_hook.py"
    hook.write_text("def process(frame)\n    return 1\n", encoding="utf-8")

    with Receiver("--hook", "broken_hook", "--hook-path", str(tmp_path)) as receiver:
        receiver.wait_for(r"broken_hook\.py:1: SyntaxError")
        assert requests.get(f"{receiver.url}/readyz", timeout=30).status_code == 503
        assert requests.get(f"{receiver.url}/healthz", timeout=30).status_code == 200
        assert post(receiver, make_frame().data).status_code == 202

        hook.write_text("def process(frame):\n    return 1\n", encoding="utf-8")
        # Whichever comes first, the next try or the look at the file.
        receiver.wait_for("is ready|loaded anew")
        post(receiver, make_frame(1).data)
    assert "Traceback" not in receiver.output
