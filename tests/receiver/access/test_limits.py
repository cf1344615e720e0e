"""What one address may bring a second: requests, frames, and the frames of streams."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.routing import Map
from werkzeug.test import Client

from receiver.access.access import Access
from receiver.access.gate import Gate
from receiver.access.limits import Limits
from receiver.app import create_app
from receiver.parts import ALLOW
from shared import codec, pattern
from shared.access.hosts import Hosts
from shared.access.refusals import Refusals
from shared.errors import FrameError
from tests.receiver.access.conftest import LET_IN, Behind
from tests.receiver.access.test_gate import counts
from tests.shared.access.clock import Clock

FRAME = "POST /cameras/door/frames"


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Crowd:
    """Asks, from any address."""

    def __init__(self, limits: Any) -> None:
        self._client = Client(limits)

    def ask(self, route: str, times: int = 1, *, address: str = "192.0.2.7") -> list[int]:
        """Return the statuses."""
        method, _, path = route.partition(" ")
        statuses = []
        for _ in range(times):
            with self._client.open(
                path, method=method, environ_overrides={"REMOTE_ADDR": address}
            ) as answer:
                statuses.append(answer.status_code)
        return statuses

    def let_in(self, route: str, times: int, **given: Any) -> int:
        return self.ask(route, times, **given).count(LET_IN)


@pytest.fixture
def crowd(behind: Behind, routes: Map, refusals: Refusals, clock: Clock) -> Crowd:
    return Crowd(Limits(behind, routes, requests=4, frames=10, refusals=refusals, clock=clock))


def test_so_many_requests_may_come_in_a_row_and_then_so_many_a_second(
    crowd: Crowd, clock: Clock
) -> None:
    assert crowd.let_in("GET /cameras", 300) == 100
    clock.now += 1
    assert crowd.let_in("GET /", 300) == 4


def test_frames_have_a_limit_of_their_own_whichever_way_they_come(
    crowd: Crowd, clock: Clock
) -> None:
    crowd.ask("GET /cameras", 300)

    assert crowd.let_in(FRAME, 300) == 20
    clock.now += 1
    ways = [FRAME, "POST /image_post", "POST /v1/vision/detection", "POST /v2/models/m/infer"]
    assert sum(crowd.let_in(way, 5) for way in ways) == 10


def test_one_address_takes_nothing_from_another_and_a_slash_64_is_one(crowd: Crowd) -> None:
    assert crowd.let_in(FRAME, 50, address="192.0.2.1") == 20
    assert crowd.let_in(FRAME, 50, address="192.0.2.2") == 20
    assert crowd.let_in(FRAME, 50, address="2001:db8::1") == 20
    assert crowd.let_in(FRAME, 50, address="2001:db8::2") == 0


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"])
def test_a_flood_does_not_make_it_look_ill(path: str, crowd: Crowd, behind: Behind) -> None:
    crowd.ask("GET /cameras", 300)

    assert crowd.let_in(f"GET {path}", 300) == 300
    assert [each["PATH_INFO"] for each in behind.environs[-300:]] == [path] * 300


@pytest.mark.parametrize(
    ("requests", "frames", "route"), [(None, 1.0, "GET /cameras"), (1.0, None, FRAME)]
)
def test_one_limit_can_be_without_the_other(
    requests: float | None, frames: float | None, route: str, behind: Behind, routes: Map
) -> None:
    limits = Limits(behind, routes, requests=requests, frames=frames, refusals=Refusals())

    assert Crowd(limits).let_in(route, 300) == 300


def test_who_is_refused_is_told_when_to_come_again(
    behind: Behind, routes: Map, refusals: Refusals, clock: Clock
) -> None:
    limits = Limits(behind, routes, requests=0.2, frames=None, refusals=refusals, clock=clock)
    client = Client(limits)
    for _ in range(100):
        client.get("/cameras").close()
    with client.get("/cameras") as answer:
        problem = json.loads(answer.data)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert answer.mimetype == "application/problem+json"
    assert problem["title"] == "Too many requests"
    assert problem["detail"] == (
        "requests: expected at most 0.2 a second from one address, got more; try again in 5 s"
    )
    assert counts(refusals) == {"rate": 1}


def test_few_frames_a_second_may_come_as_many_in_a_row_as_one_sender_has_cameras(
    behind: Behind, routes: Map, refusals: Refusals, clock: Clock
) -> None:
    limits = Limits(behind, routes, requests=None, frames=1, refusals=refusals, clock=clock)

    assert Crowd(limits).let_in(FRAME, 50) == 16


def test_what_is_asked_of_the_routes_for_frames_is_a_request(crowd: Crowd) -> None:
    assert crowd.let_in("GET /v2/models/m", 300) == 100
    assert crowd.let_in("POST /hooks/reload", 5) == 0
    assert crowd.let_in(FRAME, 300) == 20


def test_each_frame_of_a_stream_is_allowed_or_refused_and_of_no_other_request(
    behind: Behind, routes: Map, refusals: Refusals, clock: Clock
) -> None:
    limits = Limits(behind, routes, requests=4, frames=10, refusals=refusals, clock=clock)
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/cameras/door/frames"}
    start: Any = lambda *_: None  # noqa: E731
    for path in ("/cameras/door/frames", "/cameras/door/stream"):
        assert limits(environ | {"PATH_INFO": path}, start) is behind.reply  # without an address
    allow = behind.environs[1][ALLOW]
    assert ALLOW not in behind.environs[0]

    for _ in range(18):
        allow()
    with pytest.raises(FrameError) as refused:
        allow()

    assert str(refused.value) == "frames: expected at most 10 a second from one address, got more"
    assert (refused.value.status, refused.value.reason) == (429, "rate")
    clock.now += 0.1
    allow()


def test_of_the_paths_that_strangers_make_up_few_are_remembered_and_no_long_ones(
    behind: Behind, routes: Map, refusals: Refusals
) -> None:
    limits = Limits(behind, routes, requests=1e6, frames=None, refusals=refusals)
    crowd = Crowd(limits)
    crowd.ask(f"GET /{'x' * 200}")
    assert limits._remembered.cache_info().currsize == 0
    crowd.ask(f"GET /{'x' * 199}")
    assert limits._remembered.cache_info().currsize == 1

    for number in range(1100):
        crowd.ask(f"GET /{number}")
    assert limits._remembered.cache_info().currsize == 1024


def test_without_limits_nothing_stands_in_front() -> None:
    assert isinstance(create_app([], max_bytes=1000, access=Access()).wsgi_app, Hosts)
    assert isinstance(create_app([], max_bytes=1000, access=Access("t" * 20)).wsgi_app, Gate)


def test_strangers_are_limited_before_their_tokens_are_looked_at() -> None:
    app = create_app([], max_bytes=1000, access=Access("t" * 20, requests=1))
    statuses = [app.test_client().get("/cameras").status_code for _ in range(110)]

    assert set(statuses[:100]) == {401}
    assert statuses[-1] == 429


def test_each_frame_of_a_stream_counts(client_of: Any, clock: Clock) -> None:
    jpeg = codec.encode(pattern.draw(1, 64, 48), 80)
    head = b"--x\r\nContent-Type: image/jpeg\r\n\r\n"
    body = b"".join(head + jpeg + b"\r\n" for _ in range(40)) + b"--x--\r\n"

    answer = client_of(frames=1.0).post(
        "/cameras/door/stream", data=body, content_type="multipart/x-mixed-replace; boundary=x"
    )

    told = answer.get_json()
    assert told["received"] == 40
    assert told["refused"] >= 40 - 17  # a slow machine earns some
    assert told["refused"] < 40 - 10
    assert "frames: expected at most 1 a second from one address" in told["detail"]
