"""Our sender and our receiver as processes, with datagrams between them."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import requests

from tests.program import Program, Receiver
from tests.receiver.bench import wait_until

TOKEN = "canary-0123456789abcdef"


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def sending(url: str, *arguments: str, token: str = "") -> Iterator[Program]:
    """Run our sender with the test pattern; its status is at `port`."""
    line = [f"--to={url}", "--source=testsrc", "--size=320x240", "--fps=25", "--status-port=0"]
    env = {"SENDER_TOKEN": token} if token else {}
    with Program("sender", *line, *arguments, env=env) as sender:
        yield sender


def status_of(sender: Program) -> Callable[[], Any]:
    port = int(sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1])
    return lambda: requests.get(f"http://127.0.0.1:{port}/status", timeout=30).json()["cameras"][0]


def camera_of(receiver: Receiver, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(f"{receiver.url}/cameras/cam1", headers=headers, timeout=30)
    return answer.json() if answer.status_code == 200 else {"processed": 0, "received": 0}


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("?parity=4&mtu=700", ["--digest"]),
        ("?form=rgb", ["--size=160x120"]),
    ],
)
def test_our_sender_s_frames_reach_our_hook_in_order(options: str, arguments: list[str]) -> None:
    url = f"udp://127.0.0.1:{free_port()}"
    hook = ("--hook", "tests.witness:Witness")
    with Receiver("--listen", url, *hook, env={"RECEIVER_TOKEN": TOKEN}) as receiver:
        receiver.wait_for("listener .*: listening")
        with sending(url + options, *arguments, token=TOKEN) as sender:
            status = status_of(sender)
            wait_until("20 frames", lambda: camera_of(receiver, TOKEN)["processed"] >= 20)
            seen, sent = camera_of(receiver, TOKEN), status()
            assert sender.stop() == 0
        metrics = requests.get(
            f"{receiver.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        ).text
        assert receiver.stop() == 0

    assert seen["result"]["disorder"] == seen["result"]["illegible"] == 0
    assert seen["refused"] == 0
    assert seen["result"]["age_ms"] < 10_000
    assert sent["failed"] == sent["refused"] == {}
    label = f'topic="",url="{url}"'
    assert f"framepost_listener_up{{{label}}} 1.0" in metrics
    assert f'framepost_listener_messages_total{{outcome="taken",{label}}}' in metrics
    assert f'framepost_listener_datagrams_total{{outcome="used",{label}}}' in metrics
    assert TOKEN not in sender.output + receiver.output + metrics


def test_a_sender_without_the_token_brings_nothing_and_both_end_on_ctrl_c() -> None:
    url = f"udp://127.0.0.1:{free_port()}"
    with (
        Receiver("--listen", url, env={"RECEIVER_TOKEN": TOKEN}) as receiver,
        sending(url) as sender,
    ):
        receiver.wait_for("is left alone: expected one that is sealed with a token, got no seal")
        wait_until("frames", lambda: status_of(sender)()["posted"] > 5)
        assert camera_of(receiver, TOKEN)["received"] == 0
        for program in (sender, receiver):
            assert program.stop(signal.SIGINT) == 0
    assert "Traceback" not in sender.output + receiver.output


def test_a_sender_says_that_nobody_listens_and_goes_on_when_somebody_does() -> None:
    url = f"udp://127.0.0.1:{free_port()}"
    with sending(url) as sender:
        sender.wait_for("gives no answer .nobody listens there, says its host., trying again")
        with Receiver("--listen", url, "--hook", "tests.witness:Witness") as receiver:
            wait_until("frames", lambda: camera_of(receiver)["processed"] > 0)
            sender.wait_for("frames are taken again")
            assert sender.stop() == 0
