"""Our sender, our receiver and imageZMQ's, as processes that find each other over ZeroMQ."""

from __future__ import annotations

import json
import signal
from functools import partial

import pytest
import requests

from shared import codec, pattern
from tests.conftest import MakeFrame
from tests.program import Program, Receiver
from tests.receiver.bench import wait_until
from tests.receiver.listeners.imagezmq_sender import free_port, imagezmq_sender
from tests.receiver.listeners.test_listening_served import camera_of
from tests.sender.carriers.hub import Hub, running

SOURCE = ("--source=testsrc", "--size=320x240", "--fps=25")


def test_our_sender_and_our_receiver_find_each_other_again_whichever_is_restarted() -> None:
    at = f"zmq://127.0.0.1:{free_port()}"
    hook = ("--hook", "tests.witness:Witness")

    def frames_of(receiver: Receiver) -> bool:
        return bool(camera_of(receiver)["processed"] >= 10)

    with Program("sender", *SOURCE, "--to", at, "--digest") as sender:
        for _ in range(2):
            with Receiver("--listen", at, *hook) as receiver:
                wait_until("10 frames", partial(frames_of, receiver))
                seen = camera_of(receiver)
                metrics = requests.get(f"{receiver.url}/metrics", timeout=30).text
                assert receiver.stop(signal.SIGINT) == 0
                assert "Traceback" not in receiver.output
        assert sender.stop(signal.SIGINT) == 0
        assert "Traceback" not in sender.output
    with Receiver("--listen", at) as receiver:
        for number in (1, 2):
            with Program("sender", *SOURCE, "--to", at, f"--camera=cam{number}") as sender:
                wait_until("frames", lambda: camera_of(receiver, f"cam{number}")["received"] > 5)  # noqa: B023
                assert sender.stop(signal.SIGINT) == 0

    assert seen["result"]["disorder"] == seen["result"]["illegible"] == seen["refused"] == 0
    assert f'framepost_listener_up{{topic="",url="{at}"}} 1.0' in metrics
    assert f'framepost_listener_messages_total{{outcome="taken",topic="",url="{at}"}}' in metrics


def test_imagezmq_s_sender_gets_our_hook_s_result(make_frame: MakeFrame) -> None:
    port = free_port()
    listen = ("--listen", f"zmq://127.0.0.1:{port}?reply=result")
    with Receiver(*listen, "--hook", "tests.sightings:process") as receiver:
        receiver.wait_for("is ready")
        with imagezmq_sender(port) as sender:
            answer = json.loads(sender.send_jpg("rpi-1", make_frame().data))
            pixels = json.loads(sender.send_image("rpi-1", codec.decode(make_frame(1).data)))
        # While somebody waits.
        assert receiver.stop(signal.SIGINT) == 0

    assert (answer["camera"], answer["state"]) == ("rpi-1", "processed")
    assert [found["label"] for found in answer["result"]["objects"]] == ["person", "cat"]
    assert pixels["state"] == "processed"


@pytest.mark.parametrize("form", ["jpg", "image"])
def test_imagezmq_s_hub_reads_our_sender(form: str) -> None:
    port = free_port()
    to = f"zmq://127.0.0.1:{port}?form={form}"
    with Program("sender", *SOURCE, "--to", to) as sender:
        numbers = []
        for _ in range(2):  # the hub of a user who stops it and starts it again
            with running(Hub(port, 5, form=form)) as hub:
                pass
            for text, what in hub.came:
                image = codec.decode(what) if isinstance(what, bytes) else what
                mark = pattern.read(image)  # type: ignore[arg-type]
                assert mark is not None
                assert text == "cam1"
                numbers.append(mark.number)
        assert sender.stop(signal.SIGINT) == 0

    assert numbers == sorted(set(numbers))
    assert len(numbers) == 10
    assert "Traceback" not in sender.output


def test_what_our_sender_publishes_our_receiver_subscribes_to() -> None:
    port = free_port()
    with (
        Program("sender", *SOURCE, f"--to=zmq+pub://127.0.0.1:{port}") as sender,
        Receiver("--listen", f"zmq+sub://127.0.0.1:{port}") as receiver,
    ):
        wait_until("10 frames", lambda: camera_of(receiver)["received"] >= 10)
        assert receiver.stop(signal.SIGINT) == 0
        assert sender.stop(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--transport=stream",), "sender: --transport: expected post for ZeroMQ, got stream"),
        (("--delivery=every",), "sender: --delivery: expected latest for ZeroMQ, got every"),
        (("--encoding=base64",), "sender: --encoding: expected raw for ZeroMQ, got base64"),
        (("--token=canary",), "sender: --token: expected none for ZeroMQ, which knows keys"),
        (("--to=zmq://h",), "sender: --to: expected zmq://HOST:PORT"),
    ],
)
def test_settings_that_do_not_fit_are_said_in_a_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    with Program("sender", "--source=testsrc", "--to=zmq://127.0.0.1:1", *arguments) as sender:
        assert sender.wait() == 2

    [said] = sender.lines
    assert sentence in said
    assert "canary" not in said
