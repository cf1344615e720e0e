from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from sender.courier import Client
from sender.endpoint import Endpoint
from sender.pipeline import Pipeline
from sender.sources.contract import EndOfSource, Shot, Source, SourceError
from sender.supervisor import Supervisor
from shared.http_client import HttpClient, NoReply
from tests.sender.doubles import (
    Event,
    FakeClient,
    PostServer,
    ScriptedSource,
    black_hole,
    free_port,
    http_reply,
    reply,
    shot,
)


class Clock:
    """Real time, plus whatever a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class StuckSource(ScriptedSource):
    """Hangs in `read`, whoever interrupts it."""

    def __init__(self) -> None:
        super().__init__([None])
        self.release = threading.Event()

    def read(self) -> Shot:
        self.blocked.set()
        self.release.wait(60)
        return shot()


class EndlessSource(ScriptedSource):
    """Gives a frame every few milliseconds."""

    def __init__(self) -> None:
        super().__init__([None])

    def read(self) -> Shot:
        if self.interrupted.wait(0.005):
            raise SourceError("told to stop", reason="interrupted")
        return shot()


Make = Callable[..., Pipeline]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Make]:
    """Return a maker of pipelines, which are ended after the test."""
    made: list[Pipeline] = []

    def make_one(
        make_source: Callable[[], Source],
        client: Client | None = None,
        *,
        camera: str = "cam1",
        whole: bool = False,
    ) -> Pipeline:
        pipeline = Pipeline(
            camera,
            make_source,
            source_name="script",
            make_client=lambda: client or FakeClient(),
            endpoint=Endpoint.parse("http://h", camera),
            whole=whole,
            patience=10,
            clock=clock,
        )
        made.append(pipeline)
        return pipeline

    yield make_one

    for pipeline in made:
        pipeline.ask_to_stop()
        pipeline.interrupt()
    for pipeline in made:
        pipeline.join(clock() + 5)


def finite(*script: Event | None) -> Callable[[], Source]:
    return lambda: ScriptedSource([None, *script, EndOfSource("over")], finite=True)


def run(*pipelines: Pipeline, seconds: float = 30.0) -> int:
    """Start and step a supervisor until it wants to end; return the exit status."""
    supervisor = Supervisor(pipelines)
    supervisor.start()
    deadline = time.monotonic() + seconds
    while (status := supervisor.step()) is None:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    assert supervisor.stop()
    return status


def test_a_file_is_delivered_whole_and_the_end_is_good(make: Make) -> None:
    client = FakeClient(NoReply("no", reason="connect"), reply(503))
    pipeline = make(finite(*[shot()] * 40), client, whole=True)

    assert run(pipeline) == 0

    books = pipeline.ledger.books()
    assert (books.captured, books.posted, books.superseded) == (40, 40, 0)
    assert [headers["X-Frame-Seq"] for _, _, headers in client.posts[2:]] == [
        str(number) for number in range(40)
    ]


def test_a_file_with_a_refused_frame_ends_badly(make: Make) -> None:
    pipeline = make(finite(*[shot()] * 5), FakeClient(reply(), reply(413)), whole=True)

    assert run(pipeline) == 1
    assert pipeline.ledger.books().posted == 4


def test_a_file_at_its_own_pace_ends_well_when_its_last_frame_was_answered(make: Make) -> None:
    assert run(make(finite(shot()))) == 0


def test_a_file_whose_last_frame_was_not_answered_ends_badly(make: Make) -> None:
    client = FakeClient(*[NoReply("no", reason="connect")] * 10)

    assert run(make(finite(shot()), client)) == 1


def test_a_camera_that_fails_for_good_ends_badly(make: Make) -> None:
    wrong = SourceError("x.txt: is no video", reason="format", permanent=True)

    assert run(make(lambda: ScriptedSource([wrong]))) == 1


def test_one_camera_that_fails_for_good_leaves_the_others_alone(make: Make) -> None:
    wrong = SourceError("x.txt: is no video", reason="format", permanent=True)
    bad = make(lambda: ScriptedSource([wrong]), camera="bad")
    client = FakeClient()
    good = make(EndlessSource, client, camera="good")
    supervisor = Supervisor([bad, good])
    supervisor.start()
    deadline = time.monotonic() + 30
    while len(client.posts) < 20 and time.monotonic() < deadline:
        assert supervisor.step() is None
        threading.Event().wait(0.01)

    assert bad.is_finished
    assert good.intake.state() == "live"
    assert supervisor.stop()


def test_a_bug_ends_the_process_badly(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(ScriptedSource):
        def read(self) -> Shot:
            raise ZeroDivisionError("a bug")

    supervised = make(lambda: Buggy([None]))

    assert run(supervised) == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_dead_thread_is_a_problem_of_health(make: Make) -> None:
    class Buggy(ScriptedSource):
        def read(self) -> Shot:
            raise ZeroDivisionError("a bug")

    pipeline = make(lambda: Buggy([None]))
    supervisor = Supervisor([pipeline])
    assert supervisor.problems() == []
    supervisor.start()
    deadline = time.monotonic() + 30
    while not pipeline.bugs() and time.monotonic() < deadline:
        threading.Event().wait(0.01)

    assert supervisor.problems() == ["camera cam1: one of its threads died"]
    supervisor.stop()


def test_a_reader_that_hangs_is_replaced(
    make: Make, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = StuckSource()
    client = FakeClient()
    # The first is only looked at by the pipeline; both come from here.
    sources: Iterator[Source] = iter([stuck, EndlessSource()])
    pipeline = make(lambda: next(sources), client)
    pipeline.start()
    assert stuck.blocked.wait(30)

    pipeline.watch()
    assert not stuck.interrupted.is_set()
    clock.ahead += 11
    pipeline.watch()
    assert stuck.interrupted.is_set()
    clock.ahead += 3
    pipeline.watch()

    assert client.posted.wait(30)
    assert pipeline.intake.abandoned == 1
    assert "hangs and is left to itself" in caplog.text
    stuck.release.set()


def test_a_file_may_hold_a_frame_back_for_long(make: Make, clock: Clock) -> None:
    still = ScriptedSource([None], finite=True)
    pipeline = make(lambda: still)
    pipeline.start()
    assert still.blocked.wait(30)

    clock.ahead += 1000
    pipeline.watch()

    assert not still.interrupted.is_set()


def test_five_readers_that_hang_end_the_process_badly(make: Make, clock: Clock) -> None:
    made: list[StuckSource] = []

    def make_stuck() -> Source:
        made.append(StuckSource())
        return made[-1]

    supervisor = Supervisor([make(make_stuck)], clock=clock)
    supervisor.start()
    statuses = []
    for _ in range(5):
        assert made[-1].blocked.wait(30)
        clock.ahead += 11
        statuses.append(supervisor.step())
        clock.ahead += 3
        statuses.append(supervisor.step())

    assert statuses == [None] * 9 + [1]
    for source in made:
        source.release.set()
    supervisor.stop()


def test_a_stop_is_quick_though_camera_and_receiver_are_dead(make: Make) -> None:
    with black_hole() as port:
        frozen = make(lambda: ScriptedSource([None]), camera="frozen")
        unheard = make(EndlessSource, HttpClient("127.0.0.1", port, deadline=120), camera="unheard")
        supervisor = Supervisor([frozen, unheard])
        supervisor.start()
        deadline = time.monotonic() + 30
        while unheard.ledger.books().captured < 3 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        started = time.monotonic()

        assert supervisor.stop()

    assert time.monotonic() - started < 30
    books = unheard.ledger.books()
    assert books.captured == sum(books.failed.values()) + books.superseded + books.waiting


def test_a_poster_that_has_nothing_to_do_ends_at_once(make: Make) -> None:
    source = ScriptedSource([None])
    pipeline = make(lambda: source)
    pipeline.start()
    assert source.blocked.wait(30)

    pipeline.ask_to_stop()
    pipeline.interrupt()

    assert pipeline.join(time.monotonic() + 30)


def test_a_thread_that_will_not_end_does_not_hold_up_the_stop(make: Make) -> None:
    stuck = StuckSource()
    supervisor = Supervisor([make(lambda: stuck)])
    supervisor.start()
    assert stuck.blocked.wait(30)
    started = time.monotonic()

    assert not supervisor.stop()

    assert time.monotonic() - started < 30
    stuck.release.set()


def test_the_frame_on_its_way_at_a_stop_is_still_answered(make: Make) -> None:
    arrived = threading.Event()

    def slow(_: int) -> bytes:
        arrived.set()
        threading.Event().wait(0.2)
        return http_reply()

    with PostServer(slow) as server:
        client = HttpClient("127.0.0.1", server.port)
        pipeline = make(lambda: ScriptedSource([None, shot()]), client)
        supervisor = Supervisor([pipeline])
        supervisor.start()
        assert arrived.wait(30)
        assert supervisor.stop()

    assert pipeline.ledger.books().posted == 1


def test_a_slow_answer_holds_up_only_its_own_camera(make: Make) -> None:
    never = threading.Event()

    def silent(_: int) -> bytes:
        never.wait(60)
        return http_reply()

    with PostServer(silent) as mute, PostServer() as quick:
        slow = make(EndlessSource, HttpClient("127.0.0.1", mute.port), camera="slow")
        others = [
            make(EndlessSource, HttpClient("127.0.0.1", quick.port), camera=f"c{number}")
            for number in range(7)
        ]
        supervisor = Supervisor([slow, *others])
        supervisor.start()
        quick.wait_for(300)
        assert all(other.ledger.books().posted > 20 for other in others)
        assert slow.ledger.books().posted == 0
        never.set()
        assert supervisor.stop()

    assert slow.ledger.books().superseded > 10


def test_a_receiver_that_comes_and_goes_leaves_threads_and_sockets_as_they_were(
    make: Make,
) -> None:
    process = psutil.Process()
    port = free_port()
    pipeline = make(EndlessSource, HttpClient("127.0.0.1", port))
    pipeline.start()
    seen = []
    for _ in range(20):
        with PostServer(port=port) as server:
            server.wait_for(3)
        failures = pipeline.ledger.books().failed.get("connect", 0)
        deadline = time.monotonic() + 30
        while pipeline.ledger.books().failed.get("connect", 0) == failures:
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)
        seen.append((threading.active_count(), process.num_fds()))

    assert len({threads for threads, _ in seen}) == 1
    assert seen[-1][1] <= seen[0][1] + 1  # one may be connecting at this moment


def test_a_line_sums_up_what_was_done_since_the_last(
    make: Make, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = FakeClient()
    pipeline = make(lambda: ScriptedSource([None, shot()]), client)
    supervisor = Supervisor([pipeline], summary_every=4, clock=clock)
    supervisor.start()
    deadline = time.monotonic() + 30
    while not pipeline.ledger.books().posted and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    for _ in range(2):
        clock.ahead += 4.5
        supervisor.step()
    supervisor.stop()

    lines = [message for message in caplog.messages if "age_ms=" in message]
    assert "camera cam1: posted=1 superseded=0 refused=0 failed=0 fps=" in lines[0]
    assert "posted=0" in lines[1]
    assert "state=stalled" in lines[1]
    assert "in all captured=1 posted=1" in caplog.messages[-1]


def test_the_status_names_everything_and_no_password(make: Make) -> None:
    pipeline = make(finite(shot()))
    run(pipeline)

    status = pipeline.status()

    assert (status["camera"], status["state"], status["source"]) == ("cam1", "ended", "script")
    assert (status["width"], status["height"], status["seq"]) == (64, 48, 0)
    assert (status["captured"], status["posted"], status["waiting"]) == (1, 1, 0)
    assert (status["clock_offset_ms"], status["clock_error_ms"]) == (None, None)
    assert (status["clock_jumps"], status["obeyed"]) == (0, None)


def test_the_status_tells_of_the_receiver_s_clock_and_its_wish(make: Make) -> None:
    ahead = f"{time.time() + 1000:.6f}"
    said = reply(X_Received_At=ahead, X_Replied_At=ahead, X_Frame_Control="fps=900; quality=60")
    pipeline = make(finite(shot()), FakeClient(said))
    run(pipeline)

    status = pipeline.status()

    assert status["clock_offset_ms"] == pytest.approx(1_000_000, abs=5000)
    assert 0 < status["clock_error_ms"] < 5000
    assert status["obeyed"] == {"fps": 900, "quality": 60}
