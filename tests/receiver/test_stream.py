"""Many frames in one request: what is taken, what is refused, what is answered."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver import stream
from receiver.app import create_app
from receiver.camera import Camera
from receiver.desk import Desk
from receiver.hub import Hub
from receiver.parts import Outcome, Parts
from receiver.result import Result
from shared import codec, pattern
from shared.errors import FrameError
from shared.seats import Seats
from tests.leftovers import leaves_nothing
from tests.receiver.conftest import MAX_BYTES

JPEGS = [codec.encode(pattern.draw(n, 160, 120), 80) for n in range(4)]
ROUTE = "/cameras/cam1/stream"
LINES = "application/x-ndjson"


class Wish:
    """What is wished of every camera."""

    def __init__(self) -> None:
        self.header: str | None = None

    def __call__(self, camera: str) -> str | None:
        return self.header


@pytest.fixture
def wish() -> Wish:
    return Wish()


@pytest.fixture
def client(desk: Desk, seats: Seats, wish: Wish) -> FlaskClient:
    bp = stream.blueprint(desk, seats=seats, max_bytes=MAX_BYTES, wish=wish)
    return create_app([bp], max_bytes=MAX_BYTES).test_client()


def part(body: bytes, *, kind: str = "image/jpeg", **headers: str) -> bytes:
    fields = {"Content-Type": kind, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"--frame\r\n{lines}\r\n".encode() + body + b"\r\n"


END = b"--frame--\r\n"


def numbered(*seqs: int) -> bytes:
    return b"".join(part(JPEGS[0], X_Frame_Epoch="e", X_Frame_Seq=str(seq)) for seq in seqs)


def post(client: FlaskClient, body: bytes, query: str = "", **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(ROUTE + query, data=body, headers=given)


def lines(client: FlaskClient, body: bytes, query: str = "", **headers: str) -> list[Any]:
    reply = post(client, body, query, Accept=LINES, **headers)
    assert reply.status_code == 200
    assert reply.mimetype == LINES
    found = [json.loads(line) for line in reply.text.splitlines()]
    reply.close()
    return found


def received(hub: Hub, camera: str = "cam1") -> int:
    found = hub.get(camera)
    return 0 if found is None else found.books().received


def test_the_answer_at_the_end_sums_up(client: FlaskClient, hub: Hub) -> None:
    body = numbered(4, 5, 4, 3) + part(JPEGS[1][:-300]) + numbered(6) + END

    reply = post(client, body)

    assert reply.status_code == 200
    summary = reply.get_json()
    assert summary.pop("detail").startswith("part 5: image: the JPEG is cut off")
    assert summary == {
        "camera": "cam1",
        "received": 6,
        "accepted": 3,
        "superseded": 1,
        "duplicate": 1,
        "refused": 1,
    }
    assert received(hub) == 4
    assert hub.refused() == {("cam1", "truncated"): 1}


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/x-mixed-replace; boundary=frame",
        'multipart/x-mixed-replace; boundary="--frame"',
        "multipart/x-mixed-replace",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "",
    ],
)
@pytest.mark.parametrize("end", [END, b""])
def test_every_way_to_announce_a_boundary_is_understood(
    client: FlaskClient, kind: str, end: bytes
) -> None:
    reply = client.post(ROUTE, data=b"".join(map(part, JPEGS)) + end, content_type=kind)

    assert reply.get_json()["accepted"] == len(JPEGS)


def test_parts_without_a_length_are_taken(client: FlaskClient, hub: Hub) -> None:
    body = b"".join(b"--frame\r\n\r\n" + jpeg + b"\r\n" for jpeg in JPEGS)

    assert post(client, body).get_json()["accepted"] == len(JPEGS)
    camera = hub.get("cam1")
    assert camera is not None
    newest = camera.latest.peek()
    assert newest is not None
    assert newest.data == JPEGS[-1]


def test_a_part_has_the_envelope_of_a_single_post(client: FlaskClient, hub: Hub) -> None:
    post(client, part(JPEGS[0], X_Frame_Epoch="e7", X_Frame_Seq="42", X_Timestamp="1700000000.25"))

    camera = hub.get("cam1")
    assert camera is not None
    frame = camera.latest.peek()
    assert frame is not None
    assert (frame.epoch, frame.seq, frame.captured_at) == ("e7", 42, 1700000000.25)


def test_raw_pixels_are_taken_by_the_parts_type(client: FlaskClient, hub: Hub) -> None:
    pixels = pattern.draw(3, 160, 120).tobytes()
    kind = "application/x-raw-bgr; width=160; height=120"

    assert post(client, part(pixels, kind=kind)).get_json()["accepted"] == 1
    assert post(client, part(pixels[:-1], kind=kind)).status_code == 422


def test_each_part_has_its_line(client: FlaskClient) -> None:
    first, again, wrong, last = lines(
        client, numbered(1, 1) + part(b"no picture", X_Frame_Seq="2") + numbered(3)
    )

    assert first.pop("received_at") <= first.pop("replied_at")
    assert first == {"camera": "cam1", "epoch": "e", "seq": 1, "state": "accepted", "status": 202}
    assert (again["state"], again["status"]) == ("accepted", 202)
    assert wrong["received_at"] <= wrong["replied_at"]
    assert (wrong["state"], wrong["status"]) == ("refused", 415)
    assert "expected a JPEG, PNG or WebP" in wrong["detail"]
    assert last["state"] == "accepted"


def test_a_line_says_what_the_receiver_wishes(client: FlaskClient, wish: Wish) -> None:
    (line,) = lines(client, numbered(1))
    assert "control" not in line

    wish.header = "fps=5"
    (line,) = lines(client, numbered(2))
    assert line["control"] == "fps=5"


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        (part(JPEGS[0], X_Frame_Seq="-1"), 400, "header"),
        (part(JPEGS[0], Content_Digest=f"sha-256=:{'A' * 43}=:"), 422, "digest"),
        (part(b""), 422, "empty"),
        (part(JPEGS[0] + b"xx"), 422, "corrupt"),
    ],
)  # fmt: skip
def test_a_bad_part_is_refused_and_counted_and_the_next_is_taken(
    client: FlaskClient, hub: Hub, bad: bytes, status: int, reason: str
) -> None:
    refused, taken = lines(client, bad + numbered(1))

    assert (refused["status"], refused["state"]) == (status, "refused")
    assert taken["state"] == "accepted"
    assert sum(hub.refused().values()) == 1
    assert {key[1] for key in hub.refused()} == {reason}


def test_a_digest_is_that_of_its_part(client: FlaskClient) -> None:
    digest = base64.b64encode(hashlib.sha256(JPEGS[0]).digest()).decode()
    (line,) = lines(client, part(JPEGS[0], Content_Digest=f"sha-256=:{digest}:"))

    assert line["state"] == "accepted"


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"--frame\r\nContent-Length: 1000000000\r\n\r\n" + JPEGS[0], 413),
        (b"--frame\r\n\r\n\xff\xd8" + bytes(2 * MAX_BYTES), 413),
        (b"--frame\r\nX: " + b"x" * 20_000, 400),
    ],
)
def test_a_part_that_cannot_be_skipped_ends_the_stream(
    client: FlaskClient, hub: Hub, bad: bytes, status: int
) -> None:
    body = numbered(1) + bad + b"\r\n" + numbered(2)

    reply = post(client, body)
    taken, refused = lines(client, body)

    assert reply.status_code == status
    assert reply.mimetype == "application/problem+json"
    assert reply.get_json()["detail"].startswith("part 2: stream: expected parts of ")
    assert (taken["state"], refused["state"], refused["status"]) == ("accepted", "refused", status)
    assert received(hub) == 1
    assert sum(hub.refused().values()) == 2


def test_half_a_part_at_the_end_is_refused_and_told(client: FlaskClient, hub: Hub) -> None:
    body = numbered(1) + part(JPEGS[1])[:-400]

    summary = post(client, body).get_json()
    taken, refused = lines(client, body)

    assert (summary["accepted"], summary["refused"]) == (1, 1)
    assert summary["detail"].endswith("got half a part at the end")
    assert (taken["state"], refused["status"]) == ("accepted", 422)
    assert hub.refused() == {("cam1", "truncated"): 2}


def test_a_stream_of_which_nothing_was_taken_is_an_error(client: FlaskClient) -> None:
    reply = post(client, part(b"<html>") + part(b"<html>"))

    assert reply.status_code == 415
    assert reply.get_json()["detail"].startswith("part 2: image: expected a JPEG, PNG or WebP")


def test_an_empty_stream_is_none(client: FlaskClient) -> None:
    assert post(client, b"").get_json()["received"] == 0
    assert post(client, END, content_type="multipart/x; boundary=frame").status_code == 200
    assert lines(client, b"") == []


def test_a_picture_alone_is_sent_to_the_other_route(client: FlaskClient) -> None:
    reply = client.post(ROUTE, data=JPEGS[0], content_type="image/jpeg")
    nameless = client.post(ROUTE, data=JPEGS[0])

    assert reply.status_code == 415
    assert ".../frames" in reply.get_json()["detail"]
    assert nameless.status_code == 400
    assert "bytes that begin ff d8 ff" in nameless.get_json()["detail"]


def test_the_limit_of_a_single_body_is_not_a_streams(client: FlaskClient, hub: Hub) -> None:
    count = 4 * MAX_BYTES // len(JPEGS[0])

    summary = post(client, numbered(*range(count)) + END).get_json()

    assert summary["accepted"] == count


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?mode=all", {}, 400),
        ("", {"Prefer": "wait=soon"}, 400),
        ("?mode=every", {}, 409),
    ],
)
def test_a_request_that_is_wrong_as_a_whole_is_refused(
    client: FlaskClient, query: str, headers: dict[str, str], status: int
) -> None:
    assert post(client, numbered(1), query, **headers).status_code == status


def test_a_wrong_name_is_refused(client: FlaskClient) -> None:
    assert client.post("/cameras/-x/stream", data=numbered(1)).status_code == 400


def test_mode_every_queues_each_part_and_says_when_it_is_full(
    client: FlaskClient, hub: Hub, hooked: set[str]
) -> None:
    hooked.add("cam1")

    found = lines(client, numbered(*range(18)), "?mode=every")

    assert [line["status"] for line in found] == [202] * 16 + [503, 503]
    assert [line.get("retry_after") for line in found] == [None] * 16 + [1, 1]
    camera = hub.get("cam1")
    assert camera is not None
    assert len(camera.pending) == 16


def test_mode_every_without_a_hook_ends_the_lines(client: FlaskClient) -> None:
    (line,) = lines(client, numbered(1, 2), "?mode=every")

    assert line["status"] == 409


def test_a_receiver_that_closes_ends_the_stream(client: FlaskClient, hub: Hub) -> None:
    hub.close()

    (line,) = lines(client, numbered(1, 2))
    reply = post(client, numbered(1, 2))

    assert (line["status"], line["retry_after"]) == (503, 1)
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "1"


def test_too_many_cameras_end_the_stream(desk: Desk, seats: Seats, hub: Hub) -> None:
    few = Hub(max_cameras=1)
    bp = stream.blueprint(
        Desk(few, max_pixels=10**6, seats=seats, has_hook=set().__contains__),
        seats=seats,
        max_bytes=MAX_BYTES,
    )
    client = create_app([bp], max_bytes=MAX_BYTES).test_client()
    client.post("/cameras/other/stream", data=numbered(1))

    (line,) = lines(client, numbered(1, 2))

    assert (line["status"], line["retry_after"]) == (429, 5)


Take = Callable[[FlaskClient], object]


@pytest.mark.parametrize(
    "take",
    [
        lambda client: post(client, numbered(1)),
        lambda client: lines(client, numbered(1)),
        lambda client: post(client, JPEGS[0]),
        lambda client: post(client, numbered(1), "?mode=all"),
        lambda client: post(client, numbered(1), Accept=LINES).close(),
    ],
    ids=["sum", "lines", "nothing", "wrong", "hung up"],
)
def test_a_stream_holds_a_seat_and_leaves_it(client: FlaskClient, seats: Seats, take: Take) -> None:
    leaves = [seats.take() for _ in range(seats.limit - 1)]
    take(client)
    take(client)
    assert seats.taken == seats.limit - 1

    leaves.append(seats.take())
    reply = post(client, numbered(1))

    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "5"
    assert "at most 4 clients that stay" in reply.get_json()["detail"]


def test_a_stream_that_waits_gets_each_result_on_its_one_seat(
    client: FlaskClient, seats: Seats, hub: Hub, hooked: set[str]
) -> None:
    hooked.add("cam1")
    leaves = [seats.take() for _ in range(seats.limit - 1)]
    assert None not in leaves

    def process(camera: Camera) -> None:
        frame = camera.pending.take()
        assert frame is not None
        facts: dict[str, Any] = {"state": "processed", "value": -frame.seq}
        times = {"queue": 0.0, "decode": 0.0, "hook": 0.0}
        camera.finish(Result(frame=frame, picture=frame, **(facts | times)))

    hub.listen(process)
    found = lines(client, numbered(1, 2, 3), Prefer="wait=30")

    assert [(line["state"], line["result"]) for line in found] == [
        ("processed", -1),
        ("processed", -2),
        ("processed", -3),
    ]


def test_without_a_hook_nobody_is_kept_waiting(client: FlaskClient) -> None:
    found = lines(client, numbered(1, 2), Prefer="wait=60")

    assert [line["state"] for line in found] == ["accepted", "accepted"]


def test_a_stream_that_is_refused_leaves_no_picture_to_the_garbage_collector() -> None:
    error = FrameError("expected a picture", status=422, reason="decode")

    assert leaves_nothing(lambda: stream._sum_up("cam1", cast(Parts, [Outcome(0.0, error=error)])))
