from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagezmq
import numpy as np
import pytest
import zmq
import zmq.auth

from sender.carriers.zmq_carrier import ZmqCarrier
from sender.carriers.zmq_endpoint import ZmqEndpoint
from shared import codec
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from tests.conftest import MakeFrame
from tests.receiver.listeners.imagezmq_sender import free_port
from tests.receiver.listeners.place import Place
from tests.sender.carriers.hub import Hub, running


class Posting:
    """A carrier as the poster uses it."""

    def __init__(self, to: str, *, deadline: float = 30.0, digest: bool = False) -> None:
        self.endpoint = ZmqEndpoint.read(to, "cam1", digest=digest)
        self.carrier = ZmqCarrier(self.endpoint, deadline=deadline)

    def post(self, frame: EncodedFrame) -> Reply:
        headers, body = self.endpoint.request(frame)
        return self.carrier.post(self.endpoint.target, body, headers)

    def post_until_taken(self, frame: EncodedFrame) -> Reply:
        """Post again and again, as the poster does with newer ones."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.post(frame)
            except NoReply:
                assert time.monotonic() < end

    def trouble(self, frame: EncodedFrame, *reasons: str) -> NoReply:
        """Post until that goes wrong for one of these reasons: to connect takes a moment."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.post(frame)
            except NoReply as exc:
                if exc.reason in reasons:
                    return exc
        raise AssertionError(f"nothing was wrong by way of {reasons}")


@contextmanager
def posting(to: str, **more: Any) -> Iterator[Posting]:
    one = Posting(to, **more)
    try:
        yield one
    finally:
        one.carrier.close()


@pytest.mark.parametrize("form", ["jpg", "image"])
def test_imagezmq_s_hub_gets_what_it_knows(make_frame: MakeFrame, form: str) -> None:
    port, frame = free_port(), make_frame()
    image = codec.decode(frame.data)
    if form == "image":
        media_type = "application/x-raw-rgb; width=160; height=120"
        frame = replace(frame, data=image[:, :, ::-1].tobytes(), media_type=media_type)
    hub = Hub(port, 2, form=form)
    with running(hub), posting(f"zmq://127.0.0.1:{port}?form={form}") as sender:
        for _ in range(2):
            assert sender.post_until_taken(frame).status == 202

    for text, what in hub.came:
        assert text == "cam1"
        if form == "jpg":
            assert what == frame.data
        else:
            assert isinstance(what, np.ndarray)
            assert what.shape == image.shape
            assert (what == image).all()


def test_our_receiver_gets_the_envelope_too(make_frame: MakeFrame) -> None:
    port, frame = free_port(), make_frame(7, epoch="boot")
    with (
        Place(f"zmq://127.0.0.1:{port}") as place,
        posting(f"zmq://127.0.0.1:{port}", digest=True) as sender,
    ):
        assert sender.post_until_taken(frame).status == 202

    [found] = place.hook.frames
    assert (found.epoch, found.seq, found.data) == ("boot", 7, frame.data)
    assert found.captured_at == pytest.approx(frame.captured_at, abs=1e-5)


@pytest.mark.parametrize("query", ["", "?reply=result"])
def test_our_receiver_s_refusal_has_its_status_and_words(make_frame: MakeFrame, query: str) -> None:
    port = free_port()
    with (
        Place(f"zmq://127.0.0.1:{port}{query}") as place,
        posting(f"zmq://127.0.0.1:{port}") as sender,
    ):
        reply = sender.post_until_taken(make_frame(width=1280, height=720))
        place.wait_for_messages(1, "refused")

    assert reply.status in (413, 422)
    assert "expected at most" in reply.words
    assert not reply.words.startswith(("refused", "{"))


def test_a_hub_that_is_not_there_is_said_within_a_second_or_so(make_frame: MakeFrame) -> None:
    with posting(f"zmq://127.0.0.1:{free_port()}") as sender, pytest.raises(NoReply) as caught:
        sender.post(make_frame())

    assert caught.value.reason == "connect"
    assert str(caught.value) == "nobody takes a connection"


def test_a_hub_that_dies_before_it_replies_is_noticed_and_its_successor_found(
    make_frame: MakeFrame,
) -> None:
    port, frame = free_port(), make_frame()
    # No deadline would pass in the time that this test has.
    with posting(f"zmq://127.0.0.1:{port}", deadline=1000.0) as sender:
        dying = Hub(port, 1, reply=None)
        with running(dying):
            assert str(sender.trouble(frame, "reset")) == "the connection ended"
        with running(Hub(port, 2)):
            assert sender.post_until_taken(frame).status == 202
            assert sender.post_until_taken(frame).status == 202


def test_a_hub_that_never_replies_costs_the_deadline_and_the_next_frame_is_new(
    make_frame: MakeFrame,
) -> None:
    port = free_port()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as silent:
        silent.setsockopt(zmq.LINGER, 0)
        silent.setsockopt(zmq.RCVTIMEO, 30_000)
        silent.bind(f"tcp://127.0.0.1:{port}")
        with posting(f"zmq://127.0.0.1:{port}", deadline=0.5) as sender:
            for number in range(2):
                trouble = sender.trouble(make_frame(number), "timeout")
                assert str(trouble) == "no reply within 0.5 s"
            seqs = [json.loads(silent.recv_multipart()[2])["framepost"]["seq"] for _ in range(2)]

    assert seqs == [0, 1]


def in_a_moment(what: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(0.05, what)
    timer.start()
    return timer


@pytest.mark.parametrize("is_there", [True, False])
def test_an_interrupt_ends_a_post_that_waits_and_every_later_one(
    make_frame: MakeFrame, is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sender.carriers.zmq_carrier._CONNECT", 1000.0)
    port = free_port()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as silent:
        if is_there:
            silent.bind(f"tcp://127.0.0.1:{port}")
        with posting(f"zmq://127.0.0.1:{port}", deadline=1000.0) as sender:
            timer = in_a_moment(sender.carrier.interrupt)
            for _ in range(2):
                with pytest.raises(NoReply) as caught:
                    sender.post(make_frame())
                assert caught.value.reason == "stopped"
            timer.join()


def test_subscribers_get_what_is_published(make_frame: MakeFrame) -> None:
    port, frame = free_port(), make_frame()
    with posting(f"zmq+pub://127.0.0.1:{port}") as sender:
        assert sender.post(frame).status == 202
        with imagezmq.ImageHub(f"tcp://127.0.0.1:{port}", REQ_REP=False) as hub:
            found = None
            for _ in range(1000):  # a subscriber gets nothing of the time before it came
                sender.post(frame)
                if hub.zmq_socket.poll(30):
                    found = hub.recv_jpg()
                    break

        assert found is not None
        assert (found[0], bytes(found[1])) == ("cam1", frame.data)


def test_a_slow_subscriber_costs_no_memory_and_sees_few_old_frames(make_frame: MakeFrame) -> None:
    port = free_port()
    frame = make_frame(width=640, height=480)
    with (
        posting(f"zmq+pub://127.0.0.1:{port}") as sender,
        zmq.Context() as context,
        context.socket(zmq.SUB) as slow,
    ):
        slow.setsockopt(zmq.LINGER, 0)
        slow.setsockopt(zmq.RCVHWM, 1)
        slow.setsockopt(zmq.RCVBUF, 1 << 16)
        slow.setsockopt(zmq.SUBSCRIBE, b"")
        sender.post(frame)
        slow.connect(f"tcp://127.0.0.1:{port}")
        while not slow.poll(10):
            sender.post(frame)
        for _ in range(500):
            sender.post(frame)
        came = 0
        while slow.poll(300):
            slow.recv_multipart()
            came += 1

    assert came * len(frame.data) < 4 << 20
    assert came < 400


def test_a_port_in_use_is_said(make_frame: MakeFrame) -> None:
    port = free_port()
    with posting(f"zmq+pub://127.0.0.1:{port}") as first, posting(first.endpoint.shown) as second:
        first.post(make_frame())
        with pytest.raises(NoReply, match="the address is in use"):
            second.post(make_frame())


@pytest.mark.parametrize("is_known", [True, False])
def test_only_a_known_key_brings_frames(
    make_frame: MakeFrame, tmp_path: Path, is_known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    clients = tmp_path / "clients"
    clients.mkdir()
    hub_key, hub_secret = zmq.auth.create_certificates(tmp_path, "hub")
    zmq.auth.create_certificates(clients, "cam1")
    stranger = zmq.auth.create_certificates(tmp_path, "stranger")[1]
    secret = clients / "cam1.key_secret" if is_known else Path(stranger)
    port = free_port()
    with (
        Place(f"zmq://127.0.0.1:{port}?secret={hub_secret}&clients={clients}") as place,
        posting(f"zmq://127.0.0.1:{port}?secret={secret}&server={hub_key}") as sender,
    ):
        if is_known:
            assert sender.post_until_taken(make_frame()).status == 202
        else:
            trouble = sender.trouble(make_frame(), "connect", "reset")
            assert str(trouble) == "a connection brought a key that is not known"
        with posting(f"zmq://127.0.0.1:{port}") as keyless, pytest.raises(NoReply):
            keyless.post(make_frame())

    assert len(place.hook.frames) == is_known
    assert "hub" not in caplog.text
