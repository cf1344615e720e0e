"""Which receiver a camera's frames go to, and where they go when that one is gone."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.receiver.balancer.balancer import Balancer
from tests.receiver.balancer.fleet import ADDRESSES, JPEG, MAX_BYTES, Fleet, post
from tests.receiver.balancer.name_server import NameServer
from tests.receiver.bench import wait_until


def test_a_cameras_frames_keep_to_one_receiver_and_cameras_are_spread(fleet: Fleet) -> None:
    cameras = [f"spread{number}" for number in range(24)]
    for seq in range(3):
        for camera in cameras:
            assert post(fleet.url, camera, seq).status_code == 202

    seen = {camera: fleet.seen(camera) for camera in cameras}

    received = [[one["received"] for one in found.values()] for found in seen.values()]
    assert received == [[3]] * len(cameras)
    homes = [address for found in seen.values() for address in found]
    assert all(homes.count(address) >= 4 for address in ADDRESSES)


def test_whatever_is_asked_of_a_camera_is_asked_where_its_frames_are(fleet: Fleet) -> None:
    for number in range(6):
        camera = f"asked{number}"
        form = {"img": b"no picture"}
        post(fleet.url, camera, 0)
        for path in (f"/cameras/{camera}", f"/cameras/{camera}/frame.jpg"):
            assert requests.get(fleet.url + path, timeout=30).status_code == 200
        requests.post(f"{fleet.url}/image_post?camera={camera}", form, timeout=30)

        assert [one["refused"] for one in fleet.seen(camera).values()] == [1]


def test_callers_of_the_front_doors_are_spread_whatever_their_address(fleet: Fleet) -> None:
    for _ in range(40):
        requests.post(f"{fleet.url}/v1/vision/detection", JPEG, timeout=30)

    received = [one["received"] for one in fleet.seen("deepstack").values()]
    assert (len(received), sum(received)) == (2, 40)
    assert min(received) >= 10


def test_a_hundred_cameras_post_at_once_and_no_frame_is_lost(fleet: Fleet) -> None:
    def run(number: int) -> list[int]:
        return [post(fleet.url, f"crowd{number}", seq).status_code for seq in range(5)]

    with ThreadPoolExecutor(100) as pool:
        told = list(pool.map(run, range(100)))

    assert told == [[202] * 5] * 100
    received = [fleet.seen(f"crowd{number}").values() for number in range(100)]
    assert [[one["received"] for one in found] for found in received] == [[5]] * 100


def test_a_killed_receivers_cameras_go_on_at_the_other_and_come_back() -> None:
    cameras = [f"cam{number}" for number in range(8)]
    with Fleet() as fleet:
        for camera in cameras:
            post(fleet.url, camera, 0)
        homes = {camera: fleet.home(camera) for camera in cameras}
        lost = homes["cam0"]
        (left,) = set(ADDRESSES) - {lost}

        fleet.kill(lost)
        killed = time.monotonic()
        told = [post(fleet.url, camera, 1).status_code for camera in cameras]

        assert time.monotonic() - killed < 15
        assert told == [202] * len(cameras)
        del fleet.receivers[lost]
        # Those of the other receiver stayed.
        assert {camera: fleet.seen(camera)[left]["received"] for camera in cameras} == {
            camera: 2 if home == left else 1 for camera, home in homes.items()
        }

        fleet.balancer.wait_for_receivers(1)
        fleet.start(lost)
        fleet.balancer.wait_for_receivers(2)
        for camera in cameras:
            post(fleet.url, camera, 2)
        assert {camera for camera in cameras if lost in fleet.seen(camera)} == {
            camera for camera, home in homes.items() if home == lost
        }


def test_a_receiver_that_says_nothing_any_more_is_left_and_who_waits_for_it_is_told() -> None:
    with Fleet() as fleet:
        post(fleet.url, "cam1", 0)
        home = fleet.home("cam1")
        fleet.kill(home, signal.SIGSTOP)
        try:
            assert post(fleet.url, "cam1", 1).status_code == 502
            assert post(fleet.url, "cam1", 2).status_code == 202
        finally:
            fleet.kill(home, signal.SIGCONT)


def test_a_new_receiver_is_found_and_gets_cameras() -> None:
    with Fleet(started=1) as fleet:
        for number in range(8):
            post(fleet.url, f"cam{number}", 0)
        new = ADDRESSES[1]
        fleet.start(new)

        fleet.names.addresses = list(ADDRESSES)
        fleet.balancer.wait_for_receivers(2)

        for number in range(8):
            post(fleet.url, f"cam{number}", 1)
        assert any(new in fleet.seen(f"cam{number}") for number in range(8))

        fleet.names.addresses = [new]
        fleet.balancer.wait_for_receivers(1)
        told = [post(fleet.url, f"cam{number}", 2).status_code for number in range(8)]
        assert told == [202] * 8
        assert all(new in fleet.seen(f"cam{number}") for number in range(8))


def test_without_a_receiver_the_answer_says_so_and_when_to_come_back() -> None:
    with NameServer() as names, Balancer(names, 9, max_bytes=MAX_BYTES) as balancer:
        answer = post(balancer.url, "cam1", 0)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"] == "balancer: no receiver can be reached"
        wait_until("the health check", lambda: balancer.ask("/healthz") == 503)
