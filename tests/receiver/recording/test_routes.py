"""The routes on a test client: lists, files, playing, asking, removing."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from receiver.app import create_app
from receiver.hub import Hub
from receiver.recording import routes
from receiver.recording.recorder import Recorder
from receiver.view.drawing import draw
from shared import codec
from shared.seats import Seats
from shared.view import live
from shared.view.renditions import Renditions
from tests.conftest import MakeFrame
from tests.receiver.recording.conftest import MakeRecorder, result_of

START = 1_790_000_000.0
MakeClient = Callable[[Recorder | None], FlaskClient]


@pytest.fixture
def recorder(make_recorder: MakeRecorder) -> Recorder:
    return make_recorder(cameras={"cam1", "cam2"})


@pytest.fixture
def hub(recorder: Recorder) -> Hub:
    return Hub(observers=[recorder])


@pytest.fixture
def seats() -> Seats:
    return Seats(2)


@pytest.fixture
def make_client(hub: Hub, seats: Seats) -> MakeClient:
    def make(recorder: Recorder | None) -> FlaskClient:
        blueprints = [
            routes.blueprint(recorder, hub=hub, seats=seats),
            # For what is said of a wrong query.
            live.blueprint(hub, Renditions(draw), seats=Seats(1)),
        ]
        return create_app(blueprints, max_bytes=1000).test_client()

    return make


@pytest.fixture
def client(make_client: MakeClient, recorder: Recorder) -> FlaskClient:
    return make_client(recorder)


@pytest.fixture
def name(recorder: Recorder, hub: Hub, make_frame: MakeFrame) -> str:
    """A finished recording of cam1: five frames in 40 ms, the fourth with a result."""
    for n in range(5):
        frame = make_frame(n, captured_at=START + n / 100)
        hub.publish(frame)
        if n == 3:
            recorder.finished(result_of(frame, {"n": 3}))
    recorder.work()
    name = recorder.facts()["cameras"]["cam1"]["name"]
    recorder._tracks["cam1"].close()
    return str(name)


def records(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    found = []
    while data:
        head, body = struct.unpack("!II", data[:8])
        found.append((json.loads(data[8 : 8 + head]), data[8 + head : 8 + head + body]))
        data = data[8 + head + body :]
    return found


def test_the_list_has_the_newest_first_and_the_state(
    client: FlaskClient, recorder: Recorder, hub: Hub, make_frame: MakeFrame, name: str
) -> None:
    hub.publish(make_frame(1, camera="cam2"))
    recorder.work()
    reply = client.get("/recordings").json
    recorder.close()

    assert reply is not None
    assert [one["camera"] for one in reply["recordings"]] == ["cam2", "cam1"]
    assert reply["recordings"][1] == {
        "camera": "cam1",
        "name": name,
        "started": reply["recordings"][1]["started"],
        "seconds": 0.04,
        "frames": 5,
        "bytes": reply["recordings"][1]["bytes"],
        "complete": True,
        "events": 0,
    }
    assert reply["recording"]["on"] is True
    assert reply["recording"]["cameras"]["cam2"]["on"] is True
    assert reply["recording"]["cameras"]["cam1"]["recorded"] == 5


def test_the_list_is_asked_for_by_camera_and_in_pages(client: FlaskClient, tmp_path: Path) -> None:
    for n in range(5):
        for suffix in ("mkv", "jsonl"):
            path = tmp_path / f"cam{n % 2}" / f"20261121T14050{n}.000Z.{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")

    def starts(query: str) -> list[str]:
        reply = client.get(f"/recordings{query}").json
        assert reply is not None
        return [one["name"][14] for one in reply["recordings"]]

    assert starts("") == ["4", "3", "2", "1", "0"]
    assert starts("?camera=cam0") == ["4", "2", "0"]
    assert starts("?camera=cam7") == []
    assert starts("?limit=2") == ["4", "3"]
    assert starts("?limit=2&before=20261121T140503.000Z") == ["2", "1"]
    assert client.get("/recordings?limit=0").status_code == 400
    assert client.get("/recordings?limit=2.5").status_code == 400
    assert client.get("/recordings?camera=..").status_code == 400


def test_a_name_that_is_as_long_as_a_recordings_with_its_suffix_is_not_found(
    client: FlaskClient,
) -> None:
    assert client.get("/recordings/cam1/fourteen-chars.jsonl").status_code == 404


def test_recordings_of_one_moment_are_never_torn_apart(client: FlaskClient, tmp_path: Path) -> None:
    for camera in ("a", "b", "c"):
        (tmp_path / camera).mkdir()
        (tmp_path / camera / "20261121T140501.000Z.mkv").write_bytes(b"")

    reply = client.get("/recordings?limit=1").json

    assert reply is not None
    assert len(reply["recordings"]) == 3


def test_both_files_are_given_as_they_lie(client: FlaskClient, name: str, tmp_path: Path) -> None:
    for suffix, kind in (("mkv", "video/x-matroska"), ("jsonl", "application/x-ndjson")):
        reply = client.get(f"/recordings/cam1/{name}.{suffix}")
        assert reply.data == (tmp_path / "cam1" / f"{name}.{suffix}").read_bytes()
        assert reply.content_type == kind
        assert f"cam1-{name}.{suffix}" in reply.headers["Content-Disposition"]
        reply.close()


def test_a_part_is_given_and_nothing_that_is_known_already(client: FlaskClient, name: str) -> None:
    url = f"/recordings/cam1/{name}.mkv"
    whole = client.get(url, buffered=True)
    part = client.get(url, headers={"Range": "bytes=100-199"}, buffered=True)
    known = client.get(url, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    wrong = client.get(url, headers={"Range": "bytes=999999999-"}, buffered=True)

    assert (part.status_code, part.data) == (206, whole.data[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"
    assert (known.status_code, known.data) == (304, b"")
    assert wrong.status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "cam1/20200101T000000.000Z",
        "cam2/{name}",
        "cam1/..%2f..%2fsecret",
        "..%2f..%2fetc/passwd",
        "../cam1/{name}",
        "cam1/secret",
        "cam1/99999999T999999.999Z",
        "cam1/{name}%00",
        "cam1//{name}",
    ],
)
def test_what_is_no_recording_is_not_found(
    client: FlaskClient, name: str, tmp_path: Path, path: str
) -> None:
    for secret in (tmp_path / "secret.mkv", tmp_path / "cam1" / "secret.mkv"):
        secret.write_bytes(b"secret")
    path = path.format(name=name)
    for url in (f"{path}.mkv", f"{path}.jsonl", f"{path}/play"):
        reply = client.get(f"/recordings/{url}")
        assert reply.status_code in (404, 308), url
        assert b"secret\n" not in reply.data
    assert client.delete(f"/recordings/{path}").status_code in (404, 308)


def test_playing_gives_records_as_the_live_view_does(
    client: FlaskClient, name: str, seats: Seats, make_frame: MakeFrame
) -> None:
    reply = client.get(f"/recordings/cam1/{name}/play")
    found = records(reply.data)
    reply.close()

    assert reply.content_type == "application/vnd.framepost.records"
    assert [head["kind"] for head, _ in found] == ["recording", *["picture"] * 5, "end"]
    head, _ = found[0]
    assert (head["camera"], head["name"], head["seconds"], head["frames"]) == (
        "cam1", name, 0.04, 5,
    )  # fmt: skip
    assert found[-1][0]["reason"] == "the recording is over"
    for n, (head, body) in enumerate(found[1:-1]):
        assert body == make_frame(n, captured_at=START + n / 100).data
        assert (head["camera"], head["view"], head["epoch"], head["seq"]) == (
            "cam1", "annotated", "e1", n,
        )  # fmt: skip
        assert (head["width"], head["height"], head["frame_width"]) == (160, 120, 160)
        assert head["at"] == n / 100
        assert ("result" in head) == (n == 3)
    assert found[4][0]["result"]["result"] == {"n": 3}
    assert seats.taken == 0


def test_pictures_are_played_as_wished(client: FlaskClient, name: str) -> None:
    reply = client.get(f"/recordings/cam1/{name}/play?width=80&from=0.03&speed=0.5")
    found = [(head, body) for head, body in records(reply.data) if head["kind"] == "picture"]
    reply.close()

    assert [head["seq"] for head, _ in found] == [3, 4]
    assert all(codec.decode(body).shape == (60, 80, 3) for _, body in found)
    assert {(head["width"], head["frame_width"]) for head, _ in found} == {(80, 160)}


@pytest.mark.parametrize("query", ["from=-1", "from=x", "speed=0", "speed=nan", "width=0", "fps=0"])
def test_what_cannot_be_played_so_is_named(client: FlaskClient, name: str, query: str) -> None:
    reply = client.get(f"/recordings/cam1/{name}/play?{query}")

    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["detail"].startswith(f"{query.partition('=')[0]}: expected")


def test_viewers_take_seats_and_leave_them(client: FlaskClient, name: str, seats: Seats) -> None:
    leave = [seats.take(), seats.take()]
    for path in (f"{name}/play", f"{name}.mkv"):
        reply = client.get(f"/recordings/cam1/{path}")
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
        reply.close()
    assert client.head(f"/recordings/cam1/{name}.mkv", buffered=True).status_code == 200
    for each in leave:
        assert each is not None
        each()

    for path in (f"{name}/play", f"{name}.mkv"):
        reply = client.get(f"/recordings/cam1/{path}")
        assert (reply.status_code, seats.taken) == (200, 1)
        reply.close()
        assert seats.taken == 0


def test_a_recording_is_removed_when_it_is_over(
    client: FlaskClient, recorder: Recorder, hub: Hub, make_frame: MakeFrame, tmp_path: Path
) -> None:
    hub.publish(make_frame(1))
    recorder.work()
    name = recorder.facts()["cameras"]["cam1"]["name"]

    assert client.delete(f"/recordings/cam1/{name}").status_code == 409
    recorder.close()
    assert client.delete(f"/recordings/cam1/{name}").status_code == 204
    assert client.delete(f"/recordings/cam1/{name}").status_code == 404
    assert not list(tmp_path.glob("*/*"))


def test_somebody_asks_for_a_recording(
    make_recorder: MakeRecorder, make_client: MakeClient, hub: Hub, make_frame: MakeFrame
) -> None:
    recorder = make_recorder("event", cameras={"cam1"})
    client = make_client(recorder)
    for camera in ("cam1", "cam2"):
        hub.publish(make_frame(1, camera=camera))
    recorder.received(make_frame(1))
    recorder.work()

    reply = client.post("/cameras/cam1/record?seconds=2.5")
    assert (reply.status_code, reply.json) == (202, {"camera": "cam1", "seconds": 2.5})
    recorder.work()
    assert recorder.facts()["cameras"]["cam1"]["recorded"] == 1
    recorder.close()

    for camera, said in (("cam2", "--record-camera"), ("cam3", "no frame of 'cam3'")):
        missed = client.post(f"/cameras/{camera}/record")
        assert missed.status_code == 404
        assert missed.json is not None
        assert said in missed.json["detail"]
    assert client.post("/cameras/cam1/record?seconds=99999").status_code == 400


def test_a_page_of_another_site_changes_nothing(client: FlaskClient, name: str) -> None:
    other, own = {"Origin": "http://evil.example"}, {"Origin": "http://localhost"}

    assert client.post("/cameras/cam1/record", headers=other).status_code == 403
    assert client.delete(f"/recordings/cam1/{name}", headers=other).status_code == 403
    assert client.post("/cameras/cam1/record", headers=own).status_code == 202
    assert client.delete(f"/recordings/cam1/{name}", headers=own).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/recordings"),
        ("GET", "/recordings/cam1/20261121T140501.123Z.mkv"),
        ("GET", "/recordings/cam1/20261121T140501.123Z.jsonl"),
        ("GET", "/recordings/cam1/20261121T140501.123Z/play"),
        ("DELETE", "/recordings/cam1/20261121T140501.123Z"),
        ("POST", "/cameras/cam1/record"),
    ],
)
def test_where_nothing_is_recorded_each_route_says_so(
    make_client: MakeClient, method: str, path: str
) -> None:
    reply = make_client(None).open(path, method=method)

    assert reply.status_code == 404
    assert reply.content_type == "application/problem+json"
    assert json.loads(reply.data)["detail"] == (
        "recordings: nothing is recorded here; start the receiver with --record"
    )
