"""What is held back until it is whole, what is refused, what passes as it comes."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from contextlib import closing

import numpy as np
import pytest
import requests

from shared import codec, wire
from tests.program import Command
from tests.receiver.balancer.balancer import CONFIG, Balancer, haproxy
from tests.receiver.balancer.fleet import ADDRESSES, JPEG, MAX_BYTES, Fleet, post
from tests.receiver.balancer.name_server import NameServer
from tests.receiver.balancer.upstream import Upstream
from tests.receiver.talker import Talker, part


def head(camera: str, length: int, kind: str = "image/jpeg") -> bytes:
    lines = f"Host: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    return f"POST /cameras/{camera}/frames HTTP/1.1\r\n{lines}\r\n".encode()


def answer_on(line: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(line)
    response.begin()
    return response


def test_a_receiver_hears_of_a_slow_post_when_it_is_whole(fleet: Fleet) -> None:
    with socket.create_connection(("127.0.0.1", fleet.port), 10) as line:
        line.sendall(head("slow", len(JPEG)) + JPEG[:-1])
        # Whoever comes later is not behind it.
        assert post(fleet.url, "slow", 7).status_code == 202
        told = time.time()
        line.sendall(JPEG[-1:])

        with closing(answer_on(line)) as response:
            assert response.status == 202
            assert float(response.headers[wire.RECEIVED_AT]) >= told - 0.00001


def test_a_picture_larger_than_the_balancers_memory_for_it_comes_through(fleet: Fleet) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1300, 3), np.uint8)
    jpeg = codec.encode(noise, 90)
    assert 1 << 20 < len(jpeg) < MAX_BYTES

    answer = post(fleet.url, "large", 0, jpeg, Prefer="wait=10")

    assert (answer.status_code, answer.json()["state"]) == (200, "processed")
    shown = requests.get(f"{fleet.url}/cameras/large/frame.jpg", timeout=30)
    assert shown.content == jpeg


def test_a_picture_over_the_limit_is_refused_in_a_sentence_before_it_is_sent(fleet: Fleet) -> None:
    with socket.create_connection(("127.0.0.1", fleet.port), 10) as line:
        line.sendall(head("giant", MAX_BYTES + 1))

        with closing(answer_on(line)) as response:
            told = json.loads(response.read())
    assert (response.status, told["status"]) == (413, 413)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert told["detail"] == "body: expected a picture of at most 2000000 bytes, got 2000001"


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 30 << 20])
def test_who_sends_all_of_it_learns_the_same(fleet: Fleet, size: int) -> None:
    answer = post(fleet.url, "giant", 0, bytes(size))

    assert answer.status_code == 413
    assert answer.json()["detail"].endswith(f"got {size}")


def test_a_picture_within_the_limit_may_be_longer_as_base64(fleet: Fleet) -> None:
    form = {"img": base64.b64encode(bytes(MAX_BYTES))}
    assert len(form["img"]) > MAX_BYTES

    answer = requests.post(f"{fleet.url}/image_post", form, timeout=30)

    assert answer.status_code == 415, "it is no picture, but none too large"

    form = {"img": base64.b64encode(bytes(MAX_BYTES + 200_000))}
    answer = requests.post(f"{fleet.url}/image_post", form, timeout=30)
    assert answer.status_code == 413


def test_a_stream_is_answered_line_by_line(fleet: Fleet) -> None:
    with Talker(fleet.port, "talk", Prefer="wait=10") as talker:
        assert talker.begin() == 200
        for seq in range(5):
            line = talker.ask(part(seq))
            assert (line["state"], line["result"]["number"]) == ("processed", seq)
        talker.end()

        assert talker.read() is None


def test_a_streams_length_has_no_limit_and_its_frames_do(fleet: Fleet) -> None:
    with Talker(fleet.port, "long") as talker:
        talker.begin()
        for seq in range(8):
            assert talker.ask(part(seq, JPEG + bytes(500_000)))["state"] == "accepted"
        refused = talker.ask(b"--frame\r\nContent-Length: %d\r\n\r\n" % (MAX_BYTES + 1))

        assert refused["status"] == 413


@pytest.mark.parametrize(
    "path",
    [
        "/v2/systemsharedmemory/region/r/register",
        "/%762/systemsharedmemory/region/r/register",
        "/v2/%73ystemsharedmemory/region/r/register",
    ],
)
def test_shared_memory_is_not_opened_by_the_balancer(fleet: Fleet, path: str) -> None:
    near = register(fleet.direct(ADDRESSES[0]), path)
    assert near[0] == 400, "a neighbour is only told that there is no such memory"

    far = register(fleet.url, path)

    assert far[0] == 403
    assert far[1].startswith("shared memory: expected a program on the receiver's own machine")


def register(url: str, path: str) -> tuple[int, str]:
    """Return the answer's status and sentence; the path is sent as it stands."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as line:
        line.request("POST", path, json.dumps({"key": "/no_such_memory", "byte_size": 57600}))
        response = line.getresponse()
        return response.status, json.loads(response.read())["error"]


def test_nor_is_shared_memory_that_somebody_else_opened(fleet: Fleet) -> None:
    place = {"shared_memory_region": "r", "shared_memory_byte_size": 57600}
    tensor = {"name": "image", "datatype": "UINT8", "shape": [120, 160, 3], "parameters": place}

    near, far = (
        requests.post(f"{url}/v2/models/witness/infer", json={"inputs": [tensor]}, timeout=30)
        for url in (fleet.direct(ADDRESSES[0]), fleet.url)
    )

    assert near.json()["error"] == "Unable to find shared memory region: 'r'"
    assert far.status_code == 403


def test_receivers_are_told_the_clients_address_and_nothing_that_it_made_up() -> None:
    address = ADDRESSES[0]
    with (
        Upstream(address) as upstream,
        NameServer([address]) as names,
        Balancer(names, upstream.port, max_bytes=MAX_BYTES) as balancer,
    ):
        balancer.wait_for_receivers(1)
        post(balancer.url, "cam1", 0, X_Forwarded_For="192.0.2.1")

        assert upstream.heads[0].get_all("X-Forwarded-For") == ["127.0.0.1"]


def test_the_configuration_is_one_that_haproxy_has_nothing_to_say_about() -> None:
    with Command(haproxy(), "-c", "-f", str(CONFIG)) as check:
        assert check.wait() == 0
        assert check.output in ("", "Configuration file is valid")
