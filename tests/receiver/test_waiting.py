"""Callers who wait for the result of their frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver import ingest
from receiver.app import create_app
from receiver.camera import Camera
from receiver.desk import Desk
from receiver.frame import Frame
from receiver.hub import Hub
from receiver.result import Result
from shared import codec, pattern
from shared.frame import EncodedFrame
from shared.seats import Seats
from tests.receiver.bench import wait_until
from tests.receiver.conftest import MAX_BYTES, MAX_PIXELS

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
ROUTE = "/cameras/cam1/frames"


class Caller:
    """Posts on a thread of its own; `reply` waits for the answer."""

    def __init__(self, client: FlaskClient, query: str = "", **headers: str) -> None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self._replies: list[TestResponse] = []
        self._thread = threading.Thread(target=self._post, args=(client, query, given))
        self._thread.start()

    def _post(self, client: FlaskClient, query: str, headers: dict[str, str]) -> None:
        self._replies.append(client.post(ROUTE + query, data=JPEG, headers=headers))

    def reply(self) -> TestResponse:
        self._thread.join(30)
        assert self._replies, "no answer within 10 s"
        return self._replies[0]


@pytest.fixture
def call(client: FlaskClient, hooked: set[str]) -> Iterator[Callable[..., Caller]]:
    hooked.add("cam1")
    callers: list[Caller] = []

    def call(query: str = "", **headers: str) -> Caller:
        headers.setdefault("Prefer", "wait=30")
        callers.append(Caller(client.application.test_client(), query, **headers))
        return callers[-1]

    yield call
    for caller in callers:
        caller.reply()


def taken(hub: Hub) -> tuple[Camera, EncodedFrame]:
    """Return the frame that the hook gets next, once there is one."""
    waiting = threading.Event()
    hub.listen(lambda _: waiting.set())
    camera = hub.get("cam1")
    if camera is None or not len(camera.pending):
        assert waiting.wait(30)
        camera = hub.get("cam1")
    assert camera is not None
    frame = camera.pending.take()
    assert frame is not None
    return camera, frame


def finish(camera: Camera, frame: EncodedFrame, **facts: Any) -> None:
    values: dict[str, Any] = {"state": "processed", "value": None} | facts
    camera.finish(
        Result(frame=frame, picture=frame, queue=0.001, decode=0.002, hook=0.003, **values)
    )


def until(hub: Hub, count: int) -> None:
    """Wait until so many frames were received."""
    came = threading.Event()

    def look(camera: Camera) -> None:
        if camera.books().received >= count:
            came.set()

    hub.listen(look)
    camera = hub.get("cam1")
    if camera is None or camera.books().received < count:
        assert came.wait(30)


def until_repeated(hub: Hub, count: int) -> None:
    """Wait until so many frames came again."""
    camera = hub.get("cam1")
    assert camera is not None
    wait_until(f"{count} repeated", lambda: camera.books().duplicate >= count, 30.0)


def test_a_caller_who_waits_gets_the_result_of_its_frame(
    call: Callable[..., Caller], hub: Hub
) -> None:
    caller = call(X_Frame_Epoch="e", X_Frame_Seq="7")
    finish(*taken(hub), value={"faces": 2})

    reply = caller.reply()

    assert reply.status_code == 200
    answer = reply.get_json()
    timings = answer.pop("timings")
    assert answer == {
        "camera": "cam1",
        "epoch": "e",
        "seq": 7,
        "state": "processed",
        "result": {"faces": 2},
    }
    assert timings.items() >= {"queue": 1.0, "decode": 2.0, "hook": 3.0}.items()
    assert timings["total"] > 0
    assert reply.headers["Server-Timing"].startswith(
        "queue;dur=1.000, decode;dur=2.000, hook;dur=3.000, total;dur="
    )
    assert reply.headers["Preference-Applied"] == "wait=30"
    assert float(reply.headers["X-Replied-At"]) >= float(reply.headers["X-Received-At"])


def test_a_caller_whose_hook_fails_is_told_why(call: Callable[..., Caller], hub: Hub) -> None:
    caller = call()
    finish(*taken(hub), state="failed", error="ValueError: no", traceback="Traceback")

    reply = caller.reply()

    assert reply.status_code == 500
    assert reply.json is not None
    assert (reply.json["state"], reply.json["error"]) == ("failed", "ValueError: no")
    assert reply.json["traceback"] == "Traceback"


def test_a_caller_whose_frame_is_replaced_is_told_at_once(
    call: Callable[..., Caller], hub: Hub
) -> None:
    first = call(X_Frame_Epoch="e", X_Frame_Seq="1")
    until(hub, 1)
    second = call(X_Frame_Epoch="e", X_Frame_Seq="2")

    reply = first.reply()

    assert (reply.status_code, reply.json and reply.json["state"]) == (200, "superseded")
    finish(*taken(hub))
    assert second.reply().status_code == 200


def test_a_frame_that_comes_too_late_is_superseded_without_a_wait(
    call: Callable[..., Caller], hub: Hub
) -> None:
    newer = call(X_Frame_Epoch="e", X_Frame_Seq="2")
    until(hub, 1)

    reply = call(X_Frame_Epoch="e", X_Frame_Seq="1").reply()

    assert (reply.status_code, reply.json and reply.json["state"]) == (200, "superseded")
    finish(*taken(hub))
    newer.reply()


def test_a_wait_that_ends_first_is_answered_with_accepted(call: Callable[..., Caller]) -> None:
    reply = call(Prefer="wait=0").reply()

    assert (reply.status_code, reply.json and reply.json["state"]) == (202, "accepted")
    assert "Server-Timing" not in reply.headers


def test_a_repeated_frame_gets_the_result_that_is_still_known(
    call: Callable[..., Caller], hub: Hub
) -> None:
    first = call(X_Frame_Epoch="e", X_Frame_Seq="1")
    finish(*taken(hub), value=42)
    first.reply()

    reply = call(X_Frame_Epoch="e", X_Frame_Seq="1").reply()

    assert reply.json is not None
    assert (reply.status_code, reply.json["state"], reply.json["result"]) == (200, "duplicate", 42)


@pytest.mark.parametrize("query", ["", "?mode=every"])
def test_who_repeats_a_frame_that_waits_gets_its_result_too(
    query: str, call: Callable[..., Caller], hub: Hub
) -> None:
    callers = [call(query, X_Frame_Epoch="e", X_Frame_Seq="1")]
    until(hub, 1)
    callers.append(call(query, X_Frame_Epoch="e", X_Frame_Seq="1"))
    until_repeated(hub, 1)
    camera, frame = taken(hub)
    callers.append(call(query, X_Frame_Epoch="e", X_Frame_Seq="1"))
    until_repeated(hub, 2)

    finish(camera, frame, value=42)

    replies = [caller.reply() for caller in callers]
    assert [reply.status_code for reply in replies] == [200] * 3
    assert [reply.get_json()["state"] for reply in replies] == ["processed"] * 3
    assert [reply.get_json()["result"] for reply in replies] == [42] * 3
    assert camera.pending.take() is None, "processed once"


def test_who_repeats_a_frame_that_waits_is_told_to_wait_on(
    call: Callable[..., Caller], hub: Hub
) -> None:
    facts = {"X_Frame_Epoch": "e", "X_Frame_Seq": "1"}
    first = call("?mode=every", **facts)
    until(hub, 1)
    camera, frame = taken(hub)

    again = [call("?mode=every", Prefer=wish, **facts).reply() for wish in ("wait=0", "", "wait=0")]

    assert [(reply.status_code, reply.get_json()["state"]) for reply in again] == [
        (202, "accepted")
    ] * 3
    assert [reply.headers.get("Preference-Applied") for reply in again] == [
        "wait=0",
        None,
        "wait=0",
    ]
    finish(camera, frame)
    assert first.reply().get_json()["state"] == "processed"


def test_a_frame_of_which_nobody_waited_may_be_waited_for_when_it_is_repeated(
    call: Callable[..., Caller], hub: Hub
) -> None:
    call("?mode=every", Prefer="", X_Frame_Epoch="e", X_Frame_Seq="1").reply()
    again = call("?mode=every", X_Frame_Epoch="e", X_Frame_Seq="1")
    until_repeated(hub, 1)

    finish(*taken(hub), value=42)

    assert again.reply().get_json()["result"] == 42


def test_who_repeats_a_live_frame_is_told_that_a_newer_one_took_its_place(
    call: Callable[..., Caller], hub: Hub
) -> None:
    callers = [call(X_Frame_Epoch="e", X_Frame_Seq="1")]
    until(hub, 1)
    callers.append(call(X_Frame_Epoch="e", X_Frame_Seq="1"))
    until_repeated(hub, 1)
    newer = call(X_Frame_Epoch="e", X_Frame_Seq="2")

    replies = [caller.reply().get_json()["state"] for caller in callers]

    assert replies == ["superseded"] * 2
    finish(*taken(hub))
    newer.reply()


def test_a_repeated_frame_is_let_in_where_the_queue_is_full(
    client: FlaskClient, hooked: set[str]
) -> None:
    hooked.add("cam1")

    def post(seq: int) -> int:
        headers = {"X-Frame-Epoch": "e", "X-Frame-Seq": str(seq)}
        return client.post(ROUTE + "?mode=every", data=JPEG, headers=headers).status_code

    assert [post(seq) for seq in range(17)] == [202] * 16 + [503]
    assert post(7) == 202


def test_a_frame_whose_hook_was_ended_before_it_was_done_is_refused_for_now(
    call: Callable[..., Caller], hub: Hub
) -> None:
    caller = call("?mode=every", X_Frame_Epoch="e", X_Frame_Seq="1")
    camera, frame = taken(hub)

    camera.abandon(frame, "the receiver stopped before the hook was done")

    reply = caller.reply()
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert reply.get_json()["detail"] == (
        "frame: has no result, and may be sent again: the receiver stopped before the hook was done"
    )
    assert hub.refused() == {}, "it was taken"


def test_a_frame_that_came_before_says_so_to_the_hook_and_in_its_result(
    call: Callable[..., Caller], hub: Hub
) -> None:
    caller = call("?mode=every", X_Frame_Redelivered="1")
    camera, frame = taken(hub)
    assert Frame(frame).redelivered
    finish(camera, frame)
    caller.reply()
    result = camera.results.peek()
    assert result is not None
    assert result.facts()["redelivered"] is True

    other = call("?mode=every")
    camera, frame = taken(hub)
    assert not Frame(frame).redelivered
    finish(camera, frame)
    other.reply()
    result = camera.results.peek()
    assert result is not None
    assert "redelivered" not in result.facts()


def test_without_a_hook_nobody_is_kept_waiting(client: FlaskClient) -> None:
    reply = client.post(ROUTE, data=JPEG, headers={"Prefer": "wait=60"})

    assert reply.status_code == 202
    assert "Preference-Applied" not in reply.headers


def test_a_caller_without_a_seat_is_answered_at_once(
    call: Callable[..., Caller], seats: Seats, hub: Hub
) -> None:
    leaves = [seats.take() for _ in range(seats.limit)]

    reply = call(Prefer="wait=60").reply()

    assert reply.status_code == 202
    for leave in leaves:
        assert leave is not None
        leave()
    caller = call()
    until(hub, 2)
    finish(*taken(hub))
    assert caller.reply().status_code == 200
    assert seats.taken == 0


def test_a_receiver_that_ends_says_so_to_those_who_wait(
    call: Callable[..., Caller], hub: Hub
) -> None:
    caller = call()
    until(hub, 1)
    hub.close()

    reply = caller.reply()

    assert reply.status_code == 503
    assert "Retry-After" in reply.headers


def test_mode_every_processes_all_in_the_order_in_which_they_came(
    call: Callable[..., Caller], hub: Hub
) -> None:
    callers = []
    for seq in range(3):
        callers.append(call("?mode=every", X_Frame_Epoch="e", X_Frame_Seq=str(seq)))
        until(hub, seq + 1)
    live = call(X_Frame_Epoch="e", X_Frame_Seq="3")
    until(hub, 4)

    for _ in range(4):
        camera, frame = taken(hub)
        finish(camera, frame, value=frame.seq)

    replies = [caller.reply().json for caller in (*callers, live)]
    assert [reply and reply["result"] for reply in replies] == [0, 1, 2, 3]
    books = camera.books()
    assert (books.received, books.processed, books.superseded) == (4, 4, 0)


def test_a_full_queue_refuses_and_loses_nothing(client: FlaskClient, hooked: set[str]) -> None:
    hooked.add("cam1")
    for seq in range(16):
        headers = {"X-Frame-Epoch": "e", "X-Frame-Seq": str(seq)}
        reply = client.post(ROUTE + "?mode=every", data=JPEG, headers=headers)
        assert reply.status_code == 202

    headers = {"X-Frame-Epoch": "e", "X-Frame-Seq": "16"}
    full = client.post(ROUTE + "?mode=every", data=JPEG, headers=headers)

    assert full.status_code == 503
    assert int(full.headers["Retry-After"]) > 0
    assert full.json is not None
    assert "at most 16 frames" in full.json["detail"]


def test_a_frame_that_a_full_queue_refused_may_come_again(
    client: FlaskClient, hub: Hub, hooked: set[str]
) -> None:
    hooked.add("cam1")

    def post(seq: int) -> int:
        headers = {"X-Frame-Epoch": "e", "X-Frame-Seq": str(seq)}
        return client.post(ROUTE + "?mode=every", data=JPEG, headers=headers).status_code

    assert [post(seq) for seq in range(17)] == [202] * 16 + [503]
    finish(*taken(hub))

    assert post(16) == 202


def test_a_result_goes_to_the_caller_of_its_frame_not_to_the_next_of_that_number(
    call: Callable[..., Caller], hub: Hub
) -> None:
    # Without an epoch only the time tells that the client was started anew.
    first = call(X_Frame_Seq="0", X_Timestamp="1000.0")
    camera, frame = taken(hub)
    second = call(X_Frame_Seq="0", X_Timestamp="2000.0")
    until(hub, 2)

    finish(camera, frame, value="the first")
    finish(*taken(hub), value="the second")

    assert [caller.reply().get_json()["result"] for caller in (first, second)] == [
        "the first",
        "the second",
    ]


def test_the_wait_that_was_granted_is_told_not_the_one_that_was_wished(
    call: Callable[..., Caller], hub: Hub
) -> None:
    caller = call(Prefer="wait=3600")
    finish(*taken(hub))

    assert caller.reply().headers["Preference-Applied"] == "wait=60"


def test_mode_every_without_a_hook_is_refused(client: FlaskClient, hub: Hub) -> None:
    reply = client.post(ROUTE + "?mode=every", data=JPEG)

    assert reply.status_code == 409
    assert hub.get("cam1") is None, "a camera of which nothing was taken"
    assert reply.json is not None
    assert "no hook" in reply.json["detail"]


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=0", "wait=0"),
        ("respond-async, wait=0.0", "wait=0"),
        ('Wait="0"; strict', "wait=0"),
        ("respond-async", None),
        ("", None),
    ],
)
def test_prefer_is_read_as_the_rfc_writes_it(
    prefer: str, applied: str | None, client: FlaskClient, hooked: set[str]
) -> None:
    hooked.add("cam1")

    reply = client.post(ROUTE, data=JPEG, headers={"Prefer": prefer})

    assert reply.status_code == 202
    assert reply.headers.get("Preference-Applied") == applied


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait=", 'wait="1', "wait=1e3"])
def test_a_wait_that_is_no_number_is_refused(prefer: str, client: FlaskClient) -> None:
    reply = client.post(ROUTE, data=JPEG, headers={"Prefer": prefer})

    assert reply.status_code == 400
    assert reply.json is not None
    assert "wait=SECONDS" in reply.json["detail"]


def test_an_unknown_mode_is_refused(client: FlaskClient) -> None:
    reply = client.post(ROUTE + "?mode=all", data=JPEG)

    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["detail"] == "mode: expected latest or every, got 'all'"


def test_a_repeated_frame_gets_its_result_without_waiting_for_it(
    call: Callable[..., Caller], client: FlaskClient, hub: Hub
) -> None:
    first = call(X_Frame_Epoch="e", X_Frame_Seq="1")
    finish(*taken(hub), value=42)
    first.reply()

    again = client.post(ROUTE, data=JPEG, headers={"X-Frame-Epoch": "e", "X-Frame-Seq": "1"})

    assert (again.get_json()["state"], again.get_json()["result"]) == ("duplicate", 42)


def test_a_hook_that_does_not_run_keeps_nobody_waiting_and_fills_no_queue(
    client: FlaskClient, hooked: set[str], broken: dict[str, str]
) -> None:
    hooked.add("cam1")
    broken["cam1"] = "SyntaxError: no (my_hook.py:1)"

    every = client.post(ROUTE + "?mode=every", data=JPEG)
    live = client.post(ROUTE, data=JPEG, headers={"Prefer": "wait=60"})

    assert every.status_code == 503
    assert every.get_json()["detail"] == "hook: does not run: SyntaxError: no (my_hook.py:1)"
    assert "Retry-After" in every.headers
    assert (live.status_code, live.get_json()["state"]) == (202, "accepted")


@pytest.mark.parametrize(("query", "prefer", "asked"), [("", "", 0), ("?mode=every", "wait=0", 1)])
def test_how_the_hook_does_is_asked_once_and_not_for_a_plain_frame(
    query: str, prefer: str, asked: int, hub: Hub, seats: Seats
) -> None:
    cameras: list[str] = []
    desk = Desk(
        hub,
        max_pixels=MAX_PIXELS,
        seats=seats,
        has_hook=lambda camera: True,
        trouble=cameras.append,  # which returns None: no trouble
    )
    app = create_app([ingest.blueprint(desk, max_bytes=MAX_BYTES)], max_bytes=MAX_BYTES)

    reply = app.test_client().post(ROUTE + query, data=JPEG, headers={"Prefer": prefer})

    assert reply.status_code == 202
    assert cameras == ["cam1"] * asked
