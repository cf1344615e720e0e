"""The whole line of a camera whose frames are all delivered, without a network."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from sender.courier import Client, Courier, make_trouble
from sender.encoder import Encoder
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.pipeline import Pipeline
from sender.reader import CapturedFrame
from sender.receiver_clock import ReceiverClock
from sender.sources.contract import EndOfSource
from sender.spool.delivery import EveryDelivery
from sender.spool.segment import find
from sender.spool.spool import Spool
from sender.traces import Traces
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from tests.sender.doubles import FakeClient, FakePicture, ScriptedSource, reply, shot
from tests.sender.spool.doubles import Clock, Notes, kill, open_spool

Make = Callable[..., Pipeline]


class GoodClient(FakeClient):
    """Answers as told, then 200 for ever."""

    def post(self, *args: object, **options: object) -> object:  # type: ignore[override]
        answer = super().post(*args, **options)  # type: ignore[arg-type]
        return reply(200) if answer.status == 202 else answer

    @property
    def seqs(self) -> list[int]:
        return [int(headers["X-Frame-Seq"]) for _, _, headers in self.posts]


class DeadClient(FakeClient):
    """Nobody answers."""

    def post(self, *args: object, **options: object) -> object:  # type: ignore[override]
        raise NoReply("no connection", reason="connect")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a maker of lines that share a folder, which are ended after the test."""
    made: list[Pipeline] = []

    def make_one(source: ScriptedSource, client: Client, *, whole: bool = False) -> Pipeline:
        pipeline = Pipeline(
            "cam1",
            lambda: source,
            source_name="script",
            make_client=lambda: client,
            endpoint=Endpoint.parse("http://h", "cam1", every=True),
            whole=whole,
            spool=open_spool(tmp_path / "cam1"),
        )
        made.append(pipeline)
        return pipeline

    yield make_one

    for pipeline in made:
        stop(pipeline)


def film(count: int) -> ScriptedSource:
    return ScriptedSource([None, *[shot()] * count, EndOfSource("over")], finite=True)


def stop(pipeline: Pipeline) -> None:
    pipeline.ask_to_stop()
    pipeline.interrupt()
    assert pipeline.join(time.monotonic() + 30)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.mark.parametrize("whole", [False, True])
def test_every_frame_arrives_in_order_and_the_end_is_good(make: Make, whole: bool) -> None:
    client = GoodClient(NoReply("no", reason="connect"), reply(503))
    pipeline = make(film(60), client, whole=whole)
    pipeline.start()
    wait_until(lambda: pipeline.is_finished)

    books = pipeline.ledger.books()
    assert (books.captured, books.posted, books.superseded, books.waiting) == (60, 60, 0, 0)
    assert client.seqs == [0, 0, *range(60)]
    assert pipeline.is_delivered


def test_what_was_not_delivered_waits_for_the_next_run(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = make(film(5), DeadClient())
    first.start()
    wait_until(lambda: first.ledger.books().captured == 5)
    stop(first)
    client = GoodClient()
    second = make(film(3), client)
    second.start()
    wait_until(lambda: second.is_finished)

    assert client.seqs == [0, 1, 2, 3, 4, 0, 1, 2]
    assert len({headers["X-Frame-Epoch"] for _, _, headers in client.posts}) == 2
    books = second.ledger.books()
    assert (books.captured, books.recovered, books.posted) == (3, 5, 8)
    said = [record.getMessage() for record in caplog.records]
    assert sum("5 frames wait in" in line and "until the next" in line for line in said) == 1
    assert sum("5 frames of an earlier run wait in" in line for line in said) == 1


def test_a_disk_that_stands_still_does_not_hold_up_the_camera(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    write = Spool.append

    def hang(self: Spool, frame: EncodedFrame) -> int:
        goes_on.wait(60)
        return write(self, frame)

    monkeypatch.setattr(Spool, "append", hang)
    client = GoodClient()
    pipeline = make(film(600), client)
    pipeline.start()
    # The film ends although nothing was stored.
    wait_until(lambda: pipeline.intake.phase == "ended")
    books = pipeline.ledger.books()
    assert books.captured == 600
    assert books.waiting == 600 - books.failed["spool_slow"]
    assert 250 <= books.waiting <= 252

    goes_on.set()
    wait_until(lambda: pipeline.is_finished)
    books = pipeline.ledger.books()
    assert books.captured == books.posted + books.failed["spool_slow"] == 600
    assert client.seqs == sorted(client.seqs)


def test_the_status_tells_of_the_spool(make: Make) -> None:
    pipeline = make(film(4), DeadClient())
    pipeline.start()
    wait_until(lambda: pipeline.status()["spool_waiting"] == 4)

    status = pipeline.status()
    assert (status["delivery"], status["waiting"], status["superseded"]) == ("every", 4, 0)
    assert status["spool_bytes"] > 0
    stock = pipeline.stock()
    assert stock is not None
    assert stock.waiting == 4


class Parts:
    """A delivery that is stepped by hand."""

    def __init__(
        self,
        folder: Path,
        *answers: Reply | NoReply,
        clock: Callable[[], float] | None = None,
        max_bytes: int = 10**6,
        traces: Traces | None = None,
        **options: Any,
    ) -> None:
        self.clock = Clock()
        self.client = FakeClient(*answers)
        self.spool = open_spool(folder, max_bytes=max_bytes, clock=clock or self.clock)
        limits = Limits("cam1")
        courier = Courier(
            *(self.client, Endpoint.parse("http://h", "cam1", every=True)),
            limits=limits,
            receiver_clock=ReceiverClock(),
            trouble=make_trouble("cam1"),
        )
        self.delivery = EveryDelivery(
            *("cam1", self.spool, courier, Encoder("cam1", limits, traces=traces)),
            deadline=5.0,
            clock=clock or self.clock,
            **options,
        )
        self.spooler, self.poster = self.delivery.workers

    def put(self, count: int = 1) -> None:
        for seq in range(count):
            self.delivery.slot.put(
                CapturedFrame(
                    camera="cam1",
                    epoch="e1",
                    seq=seq,
                    captured=self.clock.now,
                    picture=FakePicture(b"x" * 200),
                )
            )

    def store(self, count: int = 1) -> None:
        self.put(count)
        for _ in range(count):
            self.spooler.step()


def test_what_is_put_is_stored_and_posted_and_told_of(tmp_path: Path) -> None:
    notes = Notes()
    parts = Parts(tmp_path, reply(200), stopwatch=notes, traces=cast(Any, notes))
    parts.store()
    parts.clock.now += 3
    parts.poster.step()

    ((_, _, headers),) = parts.client.posts
    assert headers["Prefer"] == "wait=4"  # of the five seconds that there are for a reply
    books = parts.delivery.ledger.books()
    assert (books.captured, books.posted) == (1, 1)
    assert notes.posts == [("cam1", 0.0, 200)]
    assert notes.ends == [("cam1 0", "posted", (parts.clock.now, parts.clock.now))]
    parts.delivery.close()


def test_its_parts_go_by_the_same_clock_and_books(tmp_path: Path) -> None:
    parts = Parts(tmp_path, reply(200))
    parts.store()
    parts.poster.step()
    assert parts.delivery.ledger.rate.per_second() == 1
    parts.clock.now += 6
    assert parts.delivery.ledger.rate.per_second() == 0
    parts.put()
    parts.spooler.step()
    # The file with nothing to send was removed: for the spool, six seconds had passed.
    assert [first for first, _ in find(tmp_path)] == [1]

    parts.delivery.slot.put(
        CapturedFrame(
            camera="cam1", epoch="e1", seq=1, captured=0.0, picture=FakePicture(b"broken")
        )
    )
    parts.spooler.step()
    assert parts.delivery.ledger.books().failed == {"encode": 1}
    parts.spool.close()


def test_the_reader_of_a_file_waits_for_the_spool_and_that_of_a_camera_does_not(
    tmp_path: Path,
) -> None:
    file = Parts(tmp_path / "file", max_bytes=8000, whole=True)
    camera = Parts(tmp_path / "camera", max_bytes=8000)
    for parts in (file, camera):
        parts.store(40)

    assert file.delivery.taker is file.delivery.slot
    assert camera.delivery.taker is None
    assert (file.spool.stock().expired, camera.delivery.slot.counts()) == (0, (40, 0, 0))
    assert file.delivery.slot.counts()[2] > 0
    assert camera.spool.stock().expired > 0
    for parts in (file, camera):
        parts.spool.close()


@pytest.mark.parametrize(
    ("frames", "found", "waits"),
    [
        (1, "1 frame of an earlier run waits", "1 frame waits"),
        (2, "2 frames of an earlier run wait", "2 frames wait"),
        (0, None, None),
    ],
)
def test_what_waits_is_told_at_the_end_and_at_the_next_start(
    frames: int, found: str, waits: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    parts = Parts(tmp_path)
    parts.store(frames)
    parts.delivery.close()
    assert caplog.messages == (
        [f"camera cam1: {waits} in {tmp_path} until the next start"] if frames else []
    )

    caplog.clear()
    parts = Parts(tmp_path, *[reply(503)] * 9, clock=time.monotonic)
    parts.delivery.start()
    assert caplog.messages[:1] == (
        [f"camera cam1: {found} in {tmp_path}, to be sent first"] if frames else []
    )
    before = parts.delivery.is_over
    for worker in parts.delivery.workers:
        assert worker.stop(30)
    assert (before, parts.delivery.is_over) == (False, True)
    parts.delivery.close()


def test_a_damaged_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parts = Parts(tmp_path)
    parts.store(2)
    kill(parts.spool)
    ((_, path),) = find(tmp_path)
    os.truncate(path, path.stat().st_size - 1)

    parts = Parts(tmp_path, *[reply(503)] * 9, clock=time.monotonic)
    parts.delivery.start()

    assert caplog.messages[0] == (
        f"camera cam1: the end of {tmp_path} is damaged, as after a power cut; what was there is"
        " lost"
    )
    for worker in parts.delivery.workers:
        assert worker.stop(30)
    parts.delivery.close()


def test_a_disk_that_does_not_keep_what_waits_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        close()
        raise OSError(5, "Input/output error")

    caplog.set_level(logging.INFO)
    parts = Parts(tmp_path)
    parts.store()
    close = parts.spool.close
    monkeypatch.setattr(parts.spool, "close", refuse)
    parts.delivery.close()

    assert caplog.messages == [
        f"camera cam1: the disk does not keep what is stored ({tmp_path}: Input/output error)",
        f"camera cam1: 1 frame waits in {tmp_path} until the next start",
    ]


def test_after_a_refusal_it_rests_for_a_while(tmp_path: Path) -> None:
    parts = Parts(tmp_path, reply(503))
    parts.store()
    before = parts.delivery.is_resting
    parts.poster.step()
    resting = parts.delivery.is_resting
    parts.clock.now += 60

    assert (before, resting, parts.delivery.is_resting) == (False, True, False)
    parts.delivery.interrupt()
    assert parts.client.calls == ["interrupt"]
    parts.spool.close()


def test_the_status_is_that_of_the_spool(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.store(2)
    parts.clock.now += 1.23456

    stock = parts.delivery.stock()
    assert parts.delivery.status() == {
        "delivery": "every",
        "spool": str(tmp_path),
        "spool_bytes": stock.bytes,
        "spool_waiting": 2,
        "spool_oldest_seconds": 1.235,
    }
    assert stock.bytes == sum(path.stat().st_size for _, path in find(tmp_path))
    parts.spool.close()
