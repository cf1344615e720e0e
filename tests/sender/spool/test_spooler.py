from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sender.books import Ledger
from sender.encoder import Encoder
from sender.limits import Limits
from sender.reader import CapturedFrame
from sender.spool.queue import FrameQueue
from sender.spool.spooler import Spooler
from tests.sender.doubles import FakePicture
from tests.sender.spool.doubles import drain, open_spool, refusing


class Desk:
    """A queue, a spooler that is stepped by hand, a spool and the books."""

    def __init__(self, folder: Path, *, patient: bool = False, max_bytes: int = 10**6) -> None:
        self.queue = FrameQueue()
        self.spool = open_spool(folder, max_bytes=max_bytes)
        self.ledger = Ledger(self.queue, stock=self.spool.stock)
        self.spooler = Spooler(
            *("cam1", self.queue, self.spool),
            encoder=Encoder("cam1", Limits("cam1")),
            ledger=self.ledger,
            patient=patient,
        )
        self._seq = 0

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


def test_a_frame_that_is_no_picture_costs_itself(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for data in (b"", b"broken", b""):
        desk.put(data)
        desk.spooler.step()

    assert desk.ledger.books().failed == {"encode": 1}
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
