from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from receiver.desk import Desk
from receiver.fate import Fate
from receiver.listeners.zmq_place import ZmqPlace
from receiver.listeners.zmq_subscriber import ZmqSubscriber
from shared import codec
from tests.conftest import MakeFrame
from tests.receiver.listeners.imagezmq_sender import free_port, imagezmq_sender
from tests.receiver.listeners.place import MAX_BYTES, Place

JPEG = codec.encode(np.zeros((16, 16, 3), np.uint8), 80)


@contextmanager
def subscribed(query: str = "") -> Iterator[tuple[Any, Place]]:
    """Run a publisher and what subscribes to it, and return when it gets what is published."""
    port = free_port()
    with (
        imagezmq_sender(port, publishes=True) as sender,
        Place(f"zmq+sub://127.0.0.1:{port}{query}") as place,
    ):

        def is_heard() -> bool:
            sender.zmq_socket.send(b"is anybody there?")
            return place.messages("refused") > 0

        place.wait_until("the first message", is_heard)
        # All that was sent is there by now, or on its way: one message follows the other.
        sender.send_jpg("last", JPEG)
        place.wait_for_messages(1, "taken")
        yield sender, place


def test_published_frames_are_taken(make_frame: MakeFrame) -> None:
    data = make_frame().data
    image = np.arange(576, dtype=np.uint8).reshape(12, 16, 3)
    with subscribed() as (sender, place):
        sender.send_jpg("cam1", data)
        sender.send_image("cam2", image)
        place.wait_for_messages(3, "taken")

    found = {frame.camera: frame.data for frame in place.hook.frames}
    assert found == {"last": JPEG, "cam1": data, "cam2": image.tobytes()}


def test_of_frames_that_wait_only_each_camera_s_newest_is_taken(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_busy, go_on = threading.Event(), threading.Event()
    take = Desk.take

    def slow(desk: Desk, *arguments: object, **more: object) -> Fate:
        is_busy.set()
        assert go_on.wait(30)
        return take(desk, *arguments, **more)  # type: ignore[arg-type]

    frames = [make_frame(number).data for number in range(4)]
    with subscribed() as (sender, place):
        monkeypatch.setattr(Desk, "take", slow)
        sender.send_jpg("busy", frames[0])
        assert is_busy.wait(30)
        for data in frames:
            sender.send_jpg("cam1", data)
        sender.send_jpg("cam2", frames[0])
        sender.send_jpg("cam1", frames[1])
        go_on.set()
        place.wait_for_messages(8, "taken", "superseded")

    newest = [frame.data for frame in place.hook.frames if frame.camera == "cam1"]
    assert newest[-1] == frames[1]
    # What was in our queue at once; a part may have come from the publisher's only then.
    assert len(newest) < 5
    assert place.messages("superseded") == 5 - len(newest)


def test_what_is_no_frame_is_counted_and_the_next_one_is_taken(
    make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with subscribed("?camera=door") as (sender, place):
        before = int(place.messages("refused"))
        sender.zmq_socket.send_multipart([b""] * 1000)
        sender.send_jpg("a", b"no picture")
        place.wait_for_messages(before + 2, "refused")
        sender.send_jpg("12:00:01", make_frame().data)
        place.wait_for_messages(2, "taken")

    assert [frame.camera for frame in place.hook.frames] == ["door", "door"]
    told = [r.getMessage() for r in caplog.records if r.levelno > logging.INFO]
    assert len(told) == 2  # one of each kind


def test_a_publisher_that_comes_back_is_found_again(
    make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    place = Place()
    caplog.set_level(logging.INFO)
    clock = iter(range(0, 10_000, 3)).__next__  # three seconds go by at each look
    listener = ZmqSubscriber(
        ZmqPlace.parse(f"zmq+sub://127.0.0.1:{port}"),
        place.desk,
        max_bytes=MAX_BYTES,
        clock=lambda: float(clock()),
    )

    def comes_to_be(is_up: bool) -> bool:
        listener.step()
        return listener.status().is_up == is_up

    def sees(sender: Any) -> None:
        before = listener.status().outcomes.get("taken", 0)

        def is_seen() -> bool:
            sender.send_jpg("cam1", JPEG)
            listener.step()
            return listener.status().outcomes.get("taken", 0) > before

        place.wait_until("a frame", is_seen)

    for _ in range(2):
        with imagezmq_sender(port, publishes=True) as sender:
            place.wait_until("a connection", lambda: comes_to_be(is_up=True))
            sees(sender)
        place.wait_until("its end", lambda: comes_to_be(is_up=False))
    status = listener.status()
    listener.close()

    assert (status.reconnects, status.topic) == (1, "")
    assert "nobody publishes there; trying again" in caplog.text
    assert "listens again" in caplog.text
