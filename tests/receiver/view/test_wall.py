from __future__ import annotations

import dataclasses
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

import pytest
from werkzeug.serving import make_server

from receiver.app import create_app
from receiver.camera import Camera
from receiver.feeds.journal import Journal
from receiver.hub import Hub
from receiver.result import Result, drawn
from receiver.status import describe_all
from receiver.view import wall
from receiver.view.drawing import draw
from receiver.view.pulse import Pulse
from receiver.view.tile import Tile
from receiver.view.turns import Turns
from receiver.view.wall_query import WallQuery
from shared import codec, jpeg, pattern
from shared.frame import EncodedFrame
from shared.seats import Seats
from shared.view import live
from shared.view.query import Query
from shared.view.renditions import Renditions
from tests.conftest import MakeFrame
from tests.records import Record, parse, read_records


class Served:
    """A hub and its wall behind a small server."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.hub = Hub(max_cameras=3, observers=[self.journal])
        self.pulse = Pulse(lambda: {"cameras": describe_all(self.hub)}, period=0.1)
        self.pulse.start()
        renditions, seats = Renditions(draw), Seats(2)
        routes = [
            wall.blueprint(
                self.hub, renditions, journal=self.journal, pulse=self.pulse, seats=seats
            ),
            live.blueprint(self.hub, renditions, seats=seats),
        ]
        app = create_app(routes, max_bytes=1 << 20)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @contextmanager
    def ask(self, path: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            yield answer
            answer.close()

    @contextmanager
    def watch(self, query: str = "") -> Iterator[Iterator[Record]]:
        with self.ask(f"/live{query}") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "application/vnd.framepost.records"
            assert answer.headers["Cache-Control"] == "no-store, no-transform"
            yield read_records(answer.read)

    def camera(self, name: str = "cam1") -> Camera:
        camera = self.hub.get(name)
        assert camera is not None
        return camera

    def process(self, frame: EncodedFrame, *, picture: EncodedFrame | None = None) -> None:
        """Enter a result, as a hook's worker does."""
        camera = self.camera(frame.camera)
        assert camera.pending.take() is frame
        camera.finish(
            Result(
                frame=frame,
                state="processed",
                value={"seq": frame.seq},
                picture=picture or frame,
                queue=0.001,
                decode=0.002,
                hook=0.003,
            )
        )

    def drain(self) -> None:
        self.hub.close()
        self.pulse.ask_to_stop()

    def stop(self) -> None:
        self.drain()
        self.pulse.stop()
        self._server.shutdown()
        self._thread.join(30)
        self._server.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


def pictures(records: Iterator[Record]) -> Iterator[Record]:
    return of_kind("picture", records)


def of_kind(kind: str, records: Iterator[Record], *, within: float = 30.0) -> Iterator[Record]:
    deadline = time.monotonic() + within
    for record in records:
        assert time.monotonic() < deadline, f"no {kind} came"
        if record[0]["kind"] == kind:
            yield record


def until(true: Callable[[], bool], *, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_every_camera_comes_in_one_response(served: Served, make_frame: MakeFrame) -> None:
    frames = {name: make_frame(7, camera=name) for name in ("a", "b", "c")}
    for frame in frames.values():
        served.hub.publish(frame)

    with served.watch() as records:
        shown = pictures(records)
        got = {head["camera"]: (head, body) for head, body in (next(shown) for _ in range(3))}

    assert {name: body for name, (_, body) in got.items()} == {
        name: frame.data for name, frame in frames.items()
    }
    head = got["a"][0]
    assert 0 <= head.pop("age_seconds") < 5
    assert head == {
        "kind": "picture",
        "camera": "a",
        "view": "raw",
        "epoch": "e1",
        "seq": 7,
        "captured_at": frames["a"].captured_at,
        "width": 160,
        "height": 120,
        "frame_width": 160,
        "frame_height": 120,
        "state": "live",
    }


def test_the_status_comes_at_once_and_goes_on(served: Served, make_frame: MakeFrame) -> None:
    served.hub.publish(make_frame(7))

    with served.watch("?show=") as records:
        first, _ = next(records)
        others = [next(records)[0] for _ in range(3)]

    assert first["kind"] == "status"
    assert [camera["camera"] for camera in first["cameras"]] == ["cam1"]
    assert [other["kind"] for other in others] == ["status"] * 3


def test_the_status_is_made_once_for_all_and_not_at_all_for_nobody() -> None:
    made = count()
    pulse = Pulse(lambda: {"made": next(made)}, period=0.2)
    pulse.step()
    assert pulse.status.peek() is None

    stops = [pulse.listen(lambda: None) for _ in range(3)]
    reader = pulse.status.reader()
    assert [parse(reader.get(0) or b"")[0], reader.get(0)] == [{"kind": "status", "made": 0}, None]
    pulse.step()
    assert parse(reader.get(0) or b"")[0] == {"kind": "status", "made": 1}

    for stop in stops:
        stop()
    pulse.step()
    assert reader.get(0) is None


def test_a_picture_is_sent_once(served: Served, make_frame: MakeFrame) -> None:
    served.hub.publish(make_frame(1))

    with served.watch() as records:
        kinds = [next(records)[0]["kind"] for _ in range(6)]

    assert kinds.count("picture") == 1


def test_newer_pictures_follow_each_in_the_size_that_is_wished(
    served: Served, make_frame: MakeFrame
) -> None:
    served.hub.publish(make_frame(1, width=640, height=480))

    with served.watch("?width=320") as records:
        shown = pictures(records)
        first = next(shown)
        served.hub.publish(make_frame(2, width=640, height=480))
        second = next(shown)

    for seq, (head, body) in enumerate((first, second), start=1):
        size = jpeg.read_header(body)
        assert (size.width, size.height) == (head["width"], head["height"]) == (320, 240)
        assert (head["frame_width"], head["frame_height"], head["seq"]) == (640, 480, seq)


def test_only_those_are_shown_that_were_asked_for_each_in_its_way(
    served: Served, make_frame: MakeFrame
) -> None:
    for name in ("a", "b"):
        served.hub.publish(make_frame(1, camera=name, width=640, height=480))
    frame = make_frame(2, camera="a", width=640, height=480)
    served.hub.publish(frame)
    served.process(frame)

    query = "?show=a%3Bview%3Draw%3Bwidth%3D320&show=a%3Bview%3Dannotated"
    with served.watch(query) as records:
        got = [head for head, _ in (next(records) for _ in range(6)) if head["kind"] == "picture"]

    assert sorted((head["camera"], head["view"], head["width"]) for head in got) == [
        ("a", "annotated", 640),
        ("a", "raw", 320),
    ]


def test_an_annotated_picture_comes_with_the_result_of_this_very_frame(
    served: Served, make_frame: MakeFrame
) -> None:
    frame = make_frame(1)
    served.hub.publish(frame)
    drawing = codec.encode(pattern.draw(9, 80, 60), 80)

    with served.watch("?view=annotated") as records:
        shown = pictures(records)
        raw, _ = next(shown)
        served.process(frame, picture=drawn(frame, drawing, 80, 60))
        served.hub.publish(make_frame(2))
        head, body = next(shown)

    assert (raw["seq"], raw["view"], "result" in raw) == (1, "annotated", False)
    assert body == drawing
    assert (head["width"], head["frame_width"]) == (80, 160)
    assert (head["seq"], head["result"]["seq"], head["result"]["result"]) == (1, 1, {"seq": 1})


def test_the_raw_picture_is_without_a_result(served: Served, make_frame: MakeFrame) -> None:
    frame = make_frame(1)
    served.hub.publish(frame)
    served.process(frame)

    with served.watch() as records:
        head, _ = next(pictures(records))

    assert "result" not in head


def test_results_come_if_they_are_asked_for(served: Served, make_frame: MakeFrame) -> None:
    frame = make_frame(1)
    served.hub.publish(frame)

    with served.watch("?show=&results=1") as records:
        next(records)
        served.process(frame)
        head, _ = next(of_kind("result", records))

    result = served.camera().results.peek()
    assert result is not None
    assert head == {"kind": "result", **result.facts()}


def test_a_new_camera_appears_and_one_that_is_forgotten_vanishes(make_frame: MakeFrame) -> None:
    served = Served()
    try:
        with served.watch() as records:
            next(records)
            for name in ("a", "b", "c"):
                served.hub.publish(make_frame(1, camera=name))
            shown = pictures(records)
            assert {next(shown)[0]["camera"] for _ in range(3)} == {"a", "b", "c"}
            gone = served.camera("a")
            assert gone.viewers == 1
            for name in ("b", "c"):
                served.hub.publish(make_frame(2, camera=name))
            gone._seen_at -= 61
            served.hub.publish(make_frame(1, camera="d"))
            assert {next(shown)[0]["camera"] for _ in range(3)} == {"b", "c", "d"}

            until(lambda: gone.viewers == 0)
    finally:
        served.stop()


def test_the_wished_rate_is_kept_and_the_last_picture_comes(
    served: Served, make_frame: MakeFrame
) -> None:
    frames = [make_frame(seq) for seq in range(40)]

    with served.watch("?fps=20") as records:
        next(records)
        started = time.monotonic()

        def publish() -> None:
            for frame in frames:
                served.hub.publish(dataclasses.replace(frame, arrived=time.monotonic()))
                threading.Event().wait(0.01)

        thread = threading.Thread(target=publish)
        thread.start()
        seqs: list[int] = []
        for head, _ in pictures(records):
            seqs.append(head["seq"])
            if head["seq"] == 39:
                break
        seconds = time.monotonic() - started
        thread.join(30)

    assert len(seqs) <= seconds * 20 + 3


def test_who_watches_counts_as_a_viewer_of_each_and_takes_one_seat(
    served: Served, make_frame: MakeFrame
) -> None:
    for name in ("a", "b", "c"):
        served.hub.publish(make_frame(1, camera=name))

    with served.watch("?show=a&show=b") as first, served.watch() as second:
        next(pictures(first))
        until(lambda: [camera.viewers for camera in served.hub.cameras()] == [2, 2, 1])
        with served.ask("/live") as third, served.ask("/cameras/a/stream.mjpg") as fourth:
            assert third.status == fourth.status == 503
            sentence = b"viewers: expected at most 2 at once, and all places are taken"
            assert sentence in third.read()
        del second

    until(lambda: [camera.viewers for camera in served.hub.cameras()] == [0, 0, 0])
    assert served.hub.cameras()[0].latest._listeners == ()


def test_the_receivers_end_is_told(served: Served, make_frame: MakeFrame) -> None:
    served.hub.publish(make_frame(1))

    with served.watch() as records:
        next(pictures(records))
        served.drain()
        *_, last = records

    assert last == ({"kind": "end", "reason": "the receiver shuts down"}, b"")


def test_what_makes_no_sense_is_refused(served: Served) -> None:
    with served.ask("/live?show=cam1%3Bwidth%3Dwide") as answer:
        assert answer.status == 400
        assert b"show: width: expected a whole number from 1 to" in answer.read()


def test_a_picture_that_does_not_decode_is_left_out(served: Served, make_frame: MakeFrame) -> None:
    good = make_frame(1, camera="good", width=640, height=480)
    bad = make_frame(1, camera="bad", width=640, height=480)
    served.hub.publish(dataclasses.replace(bad, data=bad.data[:200] + b"\xff\xd9"))
    served.hub.publish(good)

    with served.watch("?width=160") as records:
        names = [head.get("camera") for head, _ in (next(records) for _ in range(5))]

    assert names.count("good") == 1
    assert "bad" not in names


def test_a_reader_that_rests_finds_the_newest_and_nothing_in_between(
    served: Served, make_frame: MakeFrame
) -> None:
    own = wall.Wall(
        served.hub, Renditions(draw), journal=served.journal, pulse=served.pulse, seats=Seats(1)
    )
    served.hub.publish(make_frame(0))

    with closing(own.records(WallQuery(Query()))) as records:
        shown = pictures(map(parse, records))
        assert next(shown)[0]["seq"] == 0
        for seq in range(1, 50):
            served.hub.publish(make_frame(seq))
        assert next(shown)[0]["seq"] == 49


def test_results_that_a_slow_reader_misses_are_counted(
    served: Served, make_frame: MakeFrame
) -> None:
    own = wall.Wall(
        served.hub, Renditions(draw), journal=served.journal, pulse=served.pulse, seats=Seats(1)
    )
    frame = make_frame(0)

    with closing(own.records(WallQuery(Query(), shown={}, results=True))) as records:
        heads = (parse(record)[0] for record in records)
        assert next(heads)["kind"] == "status"
        for seq in range(300):
            each = dataclasses.replace(frame, seq=seq)
            served.hub.publish(each)
            served.process(each)
        told = [head for head, _ in zip(heads, range(5), strict=False) if head["kind"] != "status"]

    assert told[0] == {"kind": "skipped", "results": 299}
    assert (told[1]["kind"], told[1]["seq"]) == ("result", 299)


def test_a_tile_that_waits_for_its_time_asks_for_one_turn_however_many_frames_come(
    make_frame: MakeFrame,
) -> None:
    camera, turns = Camera("cam1"), Turns()
    tile = Tile(camera, Query(fps=0.1), Renditions(draw), turns=turns)
    frames = [make_frame(seq) for seq in range(20)]
    for frame in frames[:2]:  # the first two pictures of a pace come at once
        camera.accept(frame)
        assert tile.take() is not None
    for frame in frames[2:]:
        camera.accept(frame)
        assert turns.next() is tile
        assert tile.take() is None
    tile.close()

    assert len(turns._later) == 1
