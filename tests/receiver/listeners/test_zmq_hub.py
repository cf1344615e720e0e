from __future__ import annotations

import json
import logging
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import imagezmq
import numpy as np
import pytest
import zmq

from receiver.listeners.zmq_hub import ZmqHub
from receiver.listeners.zmq_place import ZmqPlace
from shared import json_envelope, wire
from tests.conftest import MakeFrame
from tests.receiver.listeners.imagezmq_sender import free_port, imagezmq_sender
from tests.receiver.listeners.place import MAX_BYTES, Place


@contextmanager
def hub(query: str = "", *, port: int = 0) -> Iterator[tuple[Place, int]]:
    port = port or free_port()
    with Place(f"zmq://127.0.0.1:{port}{query}") as place:
        yield place, port


@contextmanager
def dealer(port: int) -> Iterator[Any]:
    """Somebody who speaks ZeroMQ, and sends what they like."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 30_000)
        socket.connect(f"tcp://127.0.0.1:{port}")
        yield socket


def test_imagezmq_s_jpeg_is_taken_as_it_came(make_frame: MakeFrame) -> None:
    data = make_frame().data
    with hub() as (place, port), imagezmq_sender(port) as sender:
        replies = [sender.send_jpg("front door", data) for _ in range(3)]
        sender.send_jpg("cam2", data)

    assert replies == [b"OK"] * 3
    assert [(f.camera, f.seq) for f in place.hook.frames] == [
        ("front-door", 0),
        ("front-door", 1),
        ("front-door", 2),
        ("cam2", 0),
    ]
    assert place.hook.frames[0].data == data
    assert place.messages("taken") == 4


@pytest.mark.parametrize(("shape", "kind"), [((12, 16, 3), "bgr"), ((12, 16), "gray")])
def test_imagezmq_s_array_is_taken_pixel_by_pixel(shape: tuple[int, ...], kind: str) -> None:
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    with hub() as (place, port), imagezmq_sender(port) as sender:
        assert sender.send_image("cam1", image) == b"OK"

    [frame] = place.hook.frames
    assert (frame.media_type, frame.width, frame.height) == (f"application/x-raw-{kind}", 16, 12)
    assert frame.data == image.tobytes()


def test_our_envelope_s_facts_are_the_frame_s(make_frame: MakeFrame) -> None:
    sent = make_frame(41, epoch="boot-7")
    facts = json_envelope.to_facts(wire.to_headers(sent, digest=True))
    with hub() as (place, port), dealer(port) as socket:
        text = json.dumps({"msg": "cam1", "framepost": facts}).encode()
        for _ in range(2):
            socket.send_multipart([b"", text, sent.data])
            assert socket.recv_multipart() == [b"", b"OK"]
        socket.send_multipart([b"", text, sent.data + b"\0"])
        assert b"refused 422 Content-Digest" in socket.recv_multipart()[1]

    [frame] = place.hook.frames
    camera = place.hub.get("cam1")
    assert (frame.epoch, frame.seq) == ("boot-7", 41)
    assert camera is not None
    assert camera.books().duplicate == 1


def test_the_hook_s_result_is_the_reply_where_that_is_wished(make_frame: MakeFrame) -> None:
    with hub("?reply=result") as (place, port), imagezmq_sender(port) as sender:
        place.hook.answer = lambda frame: {"value": {"brightness": 7}}
        reply = json.loads(sender.send_jpg("cam1", make_frame().data))
        refusal = json.loads(sender.send_jpg("cam1", b"GIF89a"))

    assert (reply["state"], reply["result"]) == ("processed", {"brightness": 7})
    assert (refusal["state"], refusal["status"]) == ("refused", 415)
    assert place.metric("framepost_listener_results_total", outcome="written") == 1


def test_a_hook_that_is_waited_for_holds_up_nobody_else(make_frame: MakeFrame) -> None:
    data = make_frame().data
    with hub("?reply=result&wait=60") as (place, port):
        place.hook.leave_waiting = True
        with imagezmq_sender(port) as patient, imagezmq_sender(port) as other:
            waiting = threading.Thread(target=patient.send_jpg, args=("slow", data))
            waiting.start()
            place.wait_for_messages(1, "taken")
            place.hook.leave_waiting = False
            # Another camera's, while the first one's reply is due in a minute.
            assert json.loads(other.send_jpg("quick", data))["state"] == "processed"
            assert waiting.is_alive()
            # A newer frame of the slow one's camera settles the older.
            assert json.loads(other.send_jpg("slow", data))["state"] == "processed"
            waiting.join(30)
            assert not waiting.is_alive()


def test_a_result_that_does_not_come_in_time_is_not_waited_for(make_frame: MakeFrame) -> None:
    with hub("?reply=result&wait=0.05") as (place, port), imagezmq_sender(port) as sender:
        place.hook.leave_waiting = True
        assert json.loads(sender.send_jpg("cam1", make_frame().data)) == {
            "camera": "cam1",
            "state": "accepted",
        }
        assert place.metric("framepost_listener_results_total", outcome="late") == 1


def test_who_waits_is_answered_when_the_receiver_ends(make_frame: MakeFrame) -> None:
    replies: list[bytes] = []
    with hub("?reply=result&wait=60") as (place, port), imagezmq_sender(port) as sender:
        place.hook.leave_waiting = True

        def send() -> None:
            replies.append(sender.send_jpg("cam1", make_frame().data))

        waiting = threading.Thread(target=send)
        waiting.start()
        place.wait_for_messages(1, "taken")
        place.listeners.drain()
        waiting.join(30)

    assert [json.loads(reply)["state"] for reply in replies] == ["accepted"]


def test_a_sender_that_dies_between_request_and_reply_holds_up_nobody(
    make_frame: MakeFrame,
) -> None:
    data = make_frame().data
    with hub("?reply=result&wait=60") as (place, port):
        place.hook.leave_waiting = True
        for number in range(3):
            with dealer(port) as socket:
                socket.send_multipart([b"", b'{"msg": "dying"}', data])
                place.wait_for_messages(number + 1, "taken")
        place.hook.leave_waiting = False
        with imagezmq_sender(port) as sender:
            assert json.loads(sender.send_jpg("cam1", data))["state"] == "processed"


BAD = {
    "no parts": [],
    "one part": [b'{"msg": "cam1"}'],
    "three parts": [b'{"msg": "cam1"}', b"a", b"b"],
    "many parts": [b'{"msg": "cam1"}', *([b""] * 10_000)],
    "a pickle": [pickle.dumps({"msg": "cam1"}), b"a"],
    "a pickled picture": [b'{"msg": "cam1"}', pickle.dumps(np.zeros((2, 2, 3), np.uint8))],
    "a claim": [b'{"msg": "cam1", "dtype": "uint8", "shape": [60000, 60000, 3]}', b"abc"],
    "too few pixels": [b'{"msg": "cam1", "dtype": "uint8", "shape": [2, 2, 3]}', b"abc"],
    "too many bytes": [b'{"msg": "cam1"}', bytes(MAX_BYTES + 1)],
    "no picture": [b'{"msg": "cam1"}', b""],
    "no text": [b"{}", b"a"],
    "no JSON": [b"\xff" * 9, b"a"],
}


@pytest.mark.parametrize("parts", BAD.values(), ids=list(BAD))
def test_what_is_no_frame_is_refused_counted_and_replied_to(
    parts: list[bytes], make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with hub() as (place, port), dealer(port) as socket:
        socket.send_multipart([b"", *parts])
        [_, reply] = socket.recv_multipart()
        # Others are not harmed.
        with imagezmq_sender(port) as sender:
            assert sender.send_jpg("cam1", make_frame().data) == b"OK"

        assert reply.startswith(b"refused 4")
        assert place.messages("refused") == sum(place.hub.refused().values()) == 1

    [told] = [r.getMessage() for r in caplog.records if r.levelno > logging.INFO]
    assert "a frame is refused: " in told


def test_whoever_leaves_no_room_for_a_reply_gets_none_and_is_counted() -> None:
    with hub() as (place, port), dealer(port) as socket:
        socket.send_multipart([b'{"msg": "cam1"}', b"picture"])
        place.wait_for_messages(1, "refused")


def test_a_flood_that_nobody_reads_the_replies_of_holds_up_nobody(make_frame: MakeFrame) -> None:
    with hub() as (place, port), dealer(port) as flood, imagezmq_sender(port) as sender:
        for _ in range(2000):
            flood.send_multipart([b"", b"nonsense", b""])
        assert sender.send_jpg("cam1", make_frame().data) == b"OK"
        place.wait_for_messages(2000, "refused")


def test_a_hub_that_comes_back_is_found_again(make_frame: MakeFrame) -> None:
    port, data = free_port(), make_frame().data
    with imagezmq_sender(port) as sender:
        for _ in range(2):
            with hub(port=port):
                assert sender.send_jpg("cam1", data) == b"OK"


def test_an_address_in_use_is_waited_for(
    make_frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    place = Place()
    with imagezmq.ImageHub(f"tcp://127.0.0.1:{port}"):
        listener = ZmqHub(
            ZmqPlace.parse(f"zmq://127.0.0.1:{port}"), place.desk, max_bytes=MAX_BYTES
        )
        listener.step()
        assert not listener.status().is_up

    def is_up() -> bool:
        listener.step()
        return listener.status().is_up

    place.wait_until("the address", is_up)
    listener.close()

    assert "the address is in use; trying again" in caplog.text


def test_only_so_many_replies_wait_for_results(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.listeners.zmq_hub._MOST_WAITING", 2)
    with hub("?reply=result&wait=60") as (place, port), dealer(port) as socket:
        place.hook.leave_waiting = True
        for number in range(3):
            text = json.dumps({"msg": f"cam{number}"}).encode()
            socket.send_multipart([b"", text, make_frame().data])
        [_, reply] = socket.recv_multipart()

    assert (json.loads(reply)["camera"], json.loads(reply)["state"]) == ("cam2", "accepted")


def test_a_picture_of_more_bytes_than_are_taken_is_refused_though_it_is_one(
    make_frame: MakeFrame,
) -> None:
    data = make_frame().data
    replies = []
    with hub() as (_, port), dealer(port) as socket:
        for length in (MAX_BYTES, MAX_BYTES + 1):
            socket.send_multipart([b"", b'{"msg": "cam1"}', data.ljust(length, b"\0")])
            replies.append(socket.recv_multipart()[1])

    assert replies == [b"OK", b"refused 413 image: expected at most 100000 bytes, got 100001"]


def test_a_part_that_is_far_too_large_ends_its_sender_s_connection(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.listeners.zmq_listener._MOST", 1)
    with hub() as (place, port), dealer(port) as socket:
        monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        socket.send_multipart([b"", b'{"msg": "cam1"}', bytes(4 * MAX_BYTES + 1)])
        assert monitor.poll(30_000)
        socket.disable_monitor()
        monitor.close()
        with imagezmq_sender(port) as sender:
            assert sender.send_jpg("cam1", make_frame().data) == b"OK"

        assert place.messages("refused") == 0


def test_what_a_strange_client_says_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    """A web browser, say."""
    import socket

    with hub() as (place, port), socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        browser.shutdown(socket.SHUT_WR)
        browser.settimeout(30)
        while browser.recv(4096):
            pass
        assert place.is_up()


def test_a_stop_ends_the_wait_for_a_message() -> None:
    with hub() as (place, _):
        [listener] = place.listeners._listeners
        assert isinstance(listener, ZmqHub)
        wait, waits = listener.socket.wait, threading.Event()

        def wait_for_ever(seconds: float) -> bool:
            waits.set()
            return wait(1000.0)

        listener.socket.wait = wait_for_ever  # type: ignore[method-assign]
        assert waits.wait(30)
