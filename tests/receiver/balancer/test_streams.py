"""What a browser keeps open: pictures and events pass as they come."""

from __future__ import annotations

import socket
import statistics
import time

import numpy as np
import requests

from shared import codec
from tests.receiver.balancer.fleet import MAX_VIEWERS, Fleet, post
from tests.receiver.balancer.viewer import Viewer
from tests.receiver.bench import wait_until
from tests.sse import EventStream


def test_a_picture_is_shown_as_soon_as_it_is_there(fleet: Fleet) -> None:
    post(fleet.url, "live", 0)
    with Viewer(fleet.port, "live") as viewer:
        viewer.wait_for(0)
        waits = []
        for seq in range(1, 21):
            started = time.monotonic()
            post(fleet.url, "live", seq)
            viewer.wait_for(seq)
            waits.append(time.monotonic() - started)

    # Held back for company, each would come 200 ms later.
    assert statistics.median(waits) < 0.2


def test_a_viewer_that_takes_nothing_keeps_no_other_waiting(fleet: Fleet) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    jpeg = codec.encode(noise, 80)
    post(fleet.url, "stuck", 0, jpeg)
    with socket.create_connection(("127.0.0.1", fleet.port), 10) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(b"GET /cameras/stuck/stream.mjpg HTTP/1.1\r\nHost: x\r\n\r\n")
        with Viewer(fleet.port, "stuck") as viewer:
            for seq in range(1, 40):
                assert post(fleet.url, "stuck", seq, jpeg).status_code == 202
                viewer.wait_for(seq)


def test_viewers_that_one_receiver_has_no_place_for_go_to_another(fleet: Fleet) -> None:
    def viewers() -> int:
        return sum(one["viewers"] for one in fleet.seen("busy").values())

    # Without a bus only so has each receiver the camera.
    for address in fleet.receivers:
        post(fleet.direct(address), "busy", 0)
    wait_until("the former viewers to be gone", lambda: _seats_taken(fleet) == 0)
    held = [Viewer(fleet.port, "busy") for _ in range(2 * MAX_VIEWERS)]
    try:
        assert [viewer.status for viewer in held] == [200] * len(held)
        assert viewers() == 2 * MAX_VIEWERS
        with Viewer(fleet.port, "busy") as refused:
            assert refused.status == 503
            assert b"viewers: expected at most 2" in refused.response.read()
    finally:
        for viewer in held:
            viewer.__exit__(None, None, None)


def _seats_taken(fleet: Fleet) -> int:
    found = [
        requests.get(f"{fleet.direct(address)}/cameras", timeout=30).json()["cameras"]
        for address in fleet.receivers
    ]
    return sum(camera["viewers"] for cameras in found for camera in cameras)


def test_results_come_as_events_one_by_one(fleet: Fleet) -> None:
    with EventStream(fleet.port, "/events?camera=told") as events:
        for seq in range(3):
            post(fleet.url, "told", seq)
            (event,) = events.take(1)
            assert (event.data["seq"], event.data["state"]) == (seq, "processed")
