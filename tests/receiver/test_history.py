from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from receiver.app import create_app
from receiver.books import Books, Elsewhere
from receiver.history import KEPT, History
from receiver.hub import Hub
from receiver.result import Result
from receiver.status import blueprint
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame


class Bench:
    """A hub with a history, and a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        #: Unix seconds that the machine's clock shows more than the other one.
        self.ahead = 1e9
        self.history = History(clock=lambda: self.now, wall_clock=lambda: self.ahead + self.now)
        self.hub = Hub(max_cameras=2, observers=[self.history], clock=lambda: self.now)

    def sample(self, *, after: float = 1.0) -> None:
        self.now += after
        self.history.sample(self.hub)

    def finish(self, frame: EncodedFrame, *, hook: float = 0.003) -> None:
        camera = self.hub.get(frame.camera)
        assert camera is not None
        assert camera.pending.take() is frame
        camera.finish(
            Result(
                frame=frame, state="processed", picture=frame, queue=0.001, decode=0.002, hook=hook
            )
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.hub.close()


def test_a_sample_says_what_became_of_a_seconds_frames(bench: Bench, make_frame: MakeFrame) -> None:
    frames = [make_frame(seq) for seq in range(4)]
    for frame in frames:
        bench.hub.publish(frame)
    bench.hub.publish(frames[3])
    bench.hub.refuse("cam1", "format")
    bench.finish(frames[3])
    camera = bench.hub.get("cam1")
    assert camera is not None
    camera.count_shown(frames[3])
    camera.count_shown(frames[3])

    bench.sample(after=2.0)

    assert bench.history.newest() == {
        "cam1": {
            "at": 1e9 + 1002,
            "received": 2.0,
            "processed": 0.5,
            "shown": 0.5,
            "lost": {"superseded": 1.5, "failed": 0, "refused": 0.5, "duplicate": 0.5},
            "ms": {"send": None, "network": None, "queue": 1.0, "decode": 2.0, "hook": 3.0},
        }
    }


def test_the_stages_are_means_of_that_second_alone(bench: Bench, make_frame: MakeFrame) -> None:
    for seq, hook in enumerate((0.010, 0.030)):
        frame = make_frame(seq)
        bench.hub.publish(frame)
        bench.finish(frame, hook=hook)
    bench.sample()
    bench.sample()

    ms = dict(bench.history.facts())["cam1"]["ms"]
    assert ms["hook"] == [20.0, None]


def test_the_way_to_the_receiver_is_told_where_the_sender_said_when_it_sent(
    bench: Bench, make_frame: MakeFrame
) -> None:
    captured = 1e9 + 1000 - 5.0 - 0.060
    frame = make_frame(1, captured_at=captured)
    # Its clock is 5 s behind ours: captured 60 ms ago, sent 20 ms ago.
    bench.hub.publish(dataclasses.replace(frame, sent_at=captured + 0.040, clock_offset=5.0))
    bench.sample()

    ms = bench.history.newest()["cam1"]["ms"]
    assert (ms["send"], ms["network"]) == (pytest.approx(40, abs=0.1), pytest.approx(20, abs=0.1))


def test_five_minutes_are_kept_and_no_more(bench: Bench, make_frame: MakeFrame) -> None:
    for seq in range(KEPT + 20):
        bench.hub.publish(make_frame(seq % 7, epoch=str(seq), captured_at=float(seq)))
        bench.sample()

    past = dict(bench.history.facts())["cam1"]
    assert len(past["at"]) == len(past["received"]) == len(past["lost"]["failed"]) == KEPT
    assert past["at"][-1] - past["at"][0] == KEPT - 1


def test_a_camera_that_is_gone_has_no_more_samples_and_then_none(
    bench: Bench, make_frame: MakeFrame
) -> None:
    bench.hub.publish(make_frame(1))
    for _ in range(70):
        bench.sample()
    assert len(dict(bench.history.facts())["cam1"]["at"]) == 59

    bench.sample(after=KEPT)

    assert dict(bench.history.facts()) == {}


def test_a_forgotten_camera_leaves_nothing_behind(bench: Bench, make_frame: MakeFrame) -> None:
    bench.hub.publish(make_frame(1, camera="a"))
    bench.hub.publish(make_frame(1, camera="b"))
    bench.sample()
    bench.now += 61
    bench.hub.publish(make_frame(2, camera="b"))
    bench.hub.publish(make_frame(1, camera="c"))
    assert list(dict(bench.history.facts())) == ["b"]
    bench.history.received(dataclasses.replace(make_frame(1, camera="never"), sent_at=1.0))

    bench.sample()

    assert list(bench.history._pasts) == ["b", "c"]


def test_the_rate_at_other_receivers_counts(bench: Bench, make_frame: MakeFrame) -> None:
    camera = bench.hub.meet("far")
    assert camera is not None
    camera.elsewhere = Elsewhere(
        *(Books(90, 80, 10, 0, 0, 0), 25.0, 0, 0.0, "e", 7, 160, 120), heard=bench.now
    )
    bench.sample()

    assert bench.history.newest()["far"]["received"] == 25.0


def test_the_route_gives_one_camera_or_all(bench: Bench, make_frame: MakeFrame) -> None:
    for name in ("a", "b"):
        bench.hub.publish(make_frame(1, camera=name))
    bench.sample()
    app = create_app([blueprint(bench.hub, history=bench.history)], max_bytes=1000)
    client = app.test_client()

    everything = client.get("/history").get_json()
    assert everything["period"] == 1.0
    assert everything["now"] > 1e9
    assert everything["cameras"] == dict(bench.history.facts())
    assert list(client.get("/history?camera=b").get_json()["cameras"]) == ["b"]
    # So that those of a hundred cameras keep no frame waiting.
    pieces = list(client.get("/history").response)
    assert not [piece for piece in pieces if b'"a"' in piece and b'"b"' in piece]
    assert client.get("/history?camera=c").status_code == 404


def test_a_clock_that_was_set_back_leaves_no_samples_of_times_to_come(
    bench: Bench, make_frame: MakeFrame
) -> None:
    bench.hub.publish(make_frame(1))
    for _ in range(10):
        bench.sample()
    bench.ahead -= 5

    bench.sample()

    times = dict(bench.history.facts())["cam1"]["at"]
    assert times == sorted(times)
    assert times[-1] == bench.ahead + bench.now
