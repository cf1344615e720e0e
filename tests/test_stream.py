"""Many frames over one request, with real programs: sender, receiver and a hook that reads them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import requests

from sender.stream_client import StreamLine
from shared import codec, wire
from shared.frame import EncodedFrame
from tests.program import Program, Receiver


def seen(receiver: Receiver) -> dict[str, Any]:
    answer = requests.get(f"{receiver.url}/cameras/cam1", timeout=30)
    content: dict[str, Any] = answer.json()
    return content if answer.ok else {}


def wait_until(condition: Callable[[], bool], *programs: Program) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "\n".join(program.output for program in programs)
        time.sleep(0.02)


def sender(receiver: Receiver, *arguments: str) -> Program:
    source = ("--source", "testsrc", "--size", "320x180", "--fps", "25")
    return Program("sender", *source, "--to", receiver.url, "--transport", "stream", *arguments)


def test_a_senders_stream_reaches_the_hook_and_outlives_the_receiver() -> None:
    arguments = ("--hook", "tests.witness:Witness")
    with Receiver(*arguments) as receiver, sender(receiver) as program:

        def frames(count: int) -> bool:
            return bool(seen(receiver).get("processed", 0) >= count)

        wait_until(lambda: frames(25), program, receiver)
        found = seen(receiver)
        assert receiver.stop() == 0
        with Receiver(*arguments, port=receiver.port) as receiver:
            wait_until(lambda: frames(25), program, receiver)
            again = seen(receiver)
        assert program.stop() == 0

    assert found["result"]["illegible"] == again["result"]["illegible"] == 0
    assert found["result"]["disorder"] == again["result"]["disorder"] == 0
    assert found["epoch"] == again["epoch"]
    assert again["seq"] > found["seq"]
    assert found["clock"]["error_ms"] is not None
    assert "each frame is posted by itself" not in program.output
    assert "Traceback" not in program.output


def test_what_the_receiver_wishes_is_heard_on_a_stream() -> None:
    with Receiver() as receiver, sender(receiver) as program:
        url = f"{receiver.url}/cameras/cam1/control"
        assert requests.put(url, json={"size": "160x90"}, timeout=30).ok

        wait_until(lambda: seen(receiver).get("width") == 160, program, receiver)
        assert requests.delete(url, timeout=30).ok
        wait_until(lambda: seen(receiver).get("width") == 320, program, receiver)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--transport", "udp"),
            "SENDER_TRANSPORT: expected post or stream (how an RTSP camera sends is "
            "--rtsp-transport), got 'udp'",
        ),
        (
            ("--transport", "stream", "--to", "http://h/image_post"),
            "--transport: expected post for a URL with a path, got stream",
        ),
        (
            ("--transport", "stream", "--encoding", "base64"),
            "--transport: expected post for encoding base64, got stream",
        ),
    ],
)
def test_a_transport_that_cannot_be_is_said_so(arguments: tuple[str, ...], sentence: str) -> None:
    with Program("sender", "--source", "testsrc", *arguments) as program:
        assert program.wait() == 2

    assert program.output == f"sender: {sentence}"


def test_a_picture_larger_than_the_socket_s_buffers_goes_by_stream() -> None:
    # The head of the reply comes while the picture is still being sent.
    noise = np.random.default_rng(1).integers(0, 255, (1080, 1920, 3), np.uint8)
    with Receiver() as receiver:
        line = StreamLine("127.0.0.1", receiver.port, deadline=5.0)
        try:
            for seq in range(3):
                frame = EncodedFrame(
                    camera="cam1",
                    epoch="e",
                    seq=seq,
                    captured_at=time.time(),
                    data=codec.encode(noise, 90),
                    width=1920,
                    height=1080,
                )
                headers = wire.to_headers(frame) | {"User-Agent": "test"}
                reply = line.post("/cameras/cam1/stream", frame.data, headers)
                assert reply.status == 202
        finally:
            line.close()
