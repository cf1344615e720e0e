"""The whole line of a camera whose frames are all delivered, without a network."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sender.courier import Client
from sender.endpoint import Endpoint
from sender.pipeline import Pipeline
from sender.sources.contract import EndOfSource
from sender.spool.spool import Spool
from shared.frame import EncodedFrame
from shared.http_client import NoReply
from tests.sender.doubles import FakeClient, ScriptedSource, reply, shot
from tests.sender.spool.doubles import open_spool

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
    assert sum("5 frames wait in" in line and "next start" in line for line in said) == 1
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
