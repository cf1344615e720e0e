from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import pytest

from sender.books import Ledger
from sender.encoder import Encoder
from sender.limits import Limits
from sender.reader import CapturedFrame
from sender.spool.queue import FrameQueue
from sender.spool.spooler import Spooler
from sender.traces import FrameTrace, Traces
from tests.sender.doubles import FakePicture
from tests.sender.spool.doubles import Clock, drain, open_spool, refusing, take


class Desk:
    """A queue, a spooler that is stepped by hand, a spool and the books."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = 10**6,
        queue: FrameQueue | None = None,
        traces: Traces | None = None,
        **options: Any,
    ) -> None:
        self.queue = queue or FrameQueue()
        self.spool = open_spool(folder, max_bytes=max_bytes)
        self.ledger = Ledger(self.queue, stock=self.spool.stock)
        self.spooler = Spooler(
            *("cam1", self.queue, self.spool),
            encoder=Encoder("cam1", Limits("cam1"), traces=traces),
            ledger=self.ledger,
            **options,
        )
        self._seq = 0

    def store(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.put()
            self.spooler.step()

    def put(self, data: bytes = b"") -> None:
        self.queue.put(
            CapturedFrame(
                camera="cam1",
                epoch="e1",
                seq=self._seq,
                captured=1000.0,
                picture=FakePicture(data or f"e1 {self._seq} ".encode().ljust(200)),
            )
        )
        self._seq += 1


def test_frames_are_stored_in_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(3):
        desk.put()
        desk.spooler.step()

    assert desk.ledger.books().waiting == 3
    assert drain(desk.spool) == [0, 1, 2]
    desk.spool.close()


def test_stopped_it_stores_what_is_in_memory(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(20):
        desk.put()
    desk.spooler.close()
    desk.spool.close()

    again = open_spool(tmp_path)
    assert drain(again) == list(range(20))
    again.close()


def test_a_frame_that_is_no_picture_costs_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path)
    for data in (b"", b"broken", b""):
        desk.put(data)
        desk.spooler.step()

    assert desk.ledger.books().failed == {"encode": 1}
    assert caplog.messages == [
        "camera cam1: a frame cannot be made a JPEG (image: does not decode)"
    ]
    assert drain(desk.spool) == [0, 2]
    desk.spool.close()


def test_what_the_disk_refuses_is_counted_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk(tmp_path)
    with refusing(monkeypatch):
        for _ in range(5):
            desk.put()
            desk.spooler.step()
    desk.put()
    desk.spooler.step()

    books = desk.ledger.books()
    assert (books.captured, books.failed, books.waiting) == (6, {"disk": 5}, 1)
    assert [record.getMessage() for record in caplog.records] == [
        f"camera cam1: frames cannot be stored and are lost ({tmp_path}: Input/output error),"
        " trying again"
    ]
    assert drain(desk.spool) == [5]
    desk.spool.close()


def test_a_file_larger_than_the_spool_waits_for_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path, patient=True, max_bytes=8000)
    for _ in range(60):
        desk.put()
    for _ in range(40):
        desk.spooler.step()
    sent = drain(desk.spool)
    assert 0 < len(sent) < 40

    while len(sent) < 60:
        desk.spooler.step()
        sent += drain(desk.spool)
    assert sent == list(range(60))
    assert desk.ledger.books().expired == 0
    desk.spool.close()


def test_without_patience_the_oldest_make_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_bytes=8000)
    desk.store(40)

    assert desk.queue.counts() == (40, 0, 0)
    assert desk.ledger.books().expired > 0
    desk.spool.close()


def test_with_patience_it_looks_again_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    desk = Desk(tmp_path, max_bytes=8000, patient=True)
    monkeypatch.setattr(desk.spooler, "pause", pauses.append)
    desk.store(40)

    assert pauses
    assert max(pauses) <= 0.1
    desk.spool.close()


def test_each_kind_of_trouble_with_the_disk_is_told_and_that_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    desk = Desk(tmp_path, clock=clock)
    for code in (errno.EIO, errno.EROFS, errno.EIO):
        with refusing(monkeypatch, code):
            desk.store()
        clock.now += 2
    desk.store()

    lost = f"camera cam1: frames cannot be stored and are lost ({tmp_path}: "
    assert caplog.messages == [
        f"{lost}Input/output error), trying again",
        f"{lost}Read-only file system), trying again",
        "camera cam1: frames are stored again after 4.0 s and 3 failures",
    ]
    assert desk.spooler.name == "spooler of cam1"
    desk.spool.close()


def test_the_spool_is_tidied_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    desk = Desk(tmp_path, clock=clock)
    begun = clock.now
    tidied: list[float] = []
    monkeypatch.setattr(desk.spool, "tidy", lambda: tidied.append(clock.now - begun))
    for _ in range(13):
        desk.store(2)
        clock.now += 0.25

    assert tidied == [1.0, 2.0, 3.0]
    desk.spool.close()


def test_a_disk_that_does_not_keep_what_is_stored_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    clock = Clock()
    desk = Desk(tmp_path, clock=clock)
    desk.store()
    clock.now += 1
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.fdatasync", refuse)
        desk.store()

    assert caplog.messages == [
        f"camera cam1: the disk does not keep what is stored ({tmp_path}: Input/output error),"
        " trying again"
    ]
    assert drain(desk.spool) == [0, 1]
    desk.spool.close()


class Watched(FrameQueue):
    """Knows how long somebody was ready to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[float] = []

    def get(self, timeout: float) -> CapturedFrame | None:
        self.timeouts.append(timeout)
        return super().get(0)


def test_it_waits_for_a_frame_until_it_is_time_to_tidy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tidy_slowly() -> None:
        clock.now += 5

    clock = Clock()
    queue = Watched()
    desk = Desk(tmp_path, clock=clock, queue=queue)
    monkeypatch.setattr(desk.spool, "tidy", tidy_slowly)
    for passed in (0.0, 0.25, 0.75):
        clock.now += passed
        desk.spooler.step()

    assert queue.timeouts == [1.0, 0.75, 0.0]
    desk.spool.close()


class Always(Traces):
    """Traces every frame, and tells nobody."""

    def __init__(self) -> None:
        pass

    def begin(self, *, encode_started: float, encoded: float) -> FrameTrace:
        nobody: Any = None
        return FrameTrace(nobody, encode_started=encode_started, encoded=encoded)


def test_the_poster_gets_the_trace_of_each_frame_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, traces=Always())
    desk.store(3)

    for number in range(3):
        stored = take(desk.spool)
        trace = desk.spooler.take_trace(number)
        assert trace is not None
        assert str(trace.post) == stored.frame.trace
        assert desk.spooler.take_trace(number) is None
        desk.spool.settle(stored)
    desk.spool.close()


def test_of_frames_that_wait_long_the_newest_64_keep_their_traces(tmp_path: Path) -> None:
    desk = Desk(tmp_path, traces=Always())
    desk.store(64)
    assert len(desk.spooler._traces) == 64
    desk.store(6)

    assert sorted(desk.spooler._traces) == list(range(6, 70))
    desk.spool.close()
