"""Each frame goes until its fate is known, and says when it may have been there before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from sender.books import Ledger
from sender.courier import Courier, make_trouble
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.receiver_clock import ReceiverClock
from sender.spool.poster import SpoolPoster
from sender.spool.queue import FrameQueue
from shared.http_client import NoReply, Reason, Reply
from tests.sender.doubles import FakeClient, reply
from tests.sender.spool.doubles import frame, kill, open_spool
from tests.sender.test_poster import RestlessTurn

APPLIED = "wait=4"
FAILED = b'{"state": "failed", "error": "it raised"}'


class Line:
    """A spool with frames in it, a poster that is stepped by hand, and the books."""

    def __init__(self, folder: Path, *answers: Reply | NoReply, frames: int = 3) -> None:
        self.client = FakeClient(*answers)
        self.spool = open_spool(folder)
        queue = FrameQueue()
        self.ledger = Ledger(queue, stock=self.spool.stock)
        self.turn = RestlessTurn()
        courier = Courier(
            *(self.client, Endpoint.parse("http://h", "cam1", every=True)),
            limits=Limits("cam1"),
            receiver_clock=ReceiverClock(),
            trouble=make_trouble("cam1"),
        )
        self.poster = SpoolPoster(
            *("cam1", self.spool, courier), ledger=self.ledger, turn=self.turn, wait=4.0
        )
        for seq in range(frames):
            self.spool.append(frame(seq))

    def step(self, times: int) -> list[tuple[str, bool]]:
        """Return (seq, whether it was marked) of each post."""
        for _ in range(times):
            self.poster.step()
        return [
            (headers["X-Frame-Seq"], headers.get("X-Frame-Redelivered") == "1")
            for _, _, headers in self.client.posts
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_it_asks_for_every_frame_and_for_its_result(folder: Path) -> None:
    line = Line(folder, *[reply(200)] * 3)

    assert line.step(3) == [("0", False), ("1", False), ("2", False)]
    target, body, headers = line.client.posts[0]
    assert (target, headers["Prefer"]) == ("/cameras/cam1/frames?mode=every", "wait=4")
    assert body.startswith(b"e1 0 ")
    assert line.ledger.books().posted == 3
    assert line.spool.stock().waiting == 0
    line.spool.close()


@pytest.mark.parametrize(
    "settled",
    [
        pytest.param(reply(200), id="processed, or a duplicate"),
        pytest.param(reply(500, FAILED), id="failed in the hook"),
        *(pytest.param(reply(status), id=str(status)) for status in (400, 411, 413, 415, 422)),
    ],
)
def test_a_frame_whose_fate_is_known_is_let_go(folder: Path, settled: Reply) -> None:
    line = Line(folder, settled, reply(200))

    assert line.step(2) == [("0", False), ("1", False)]
    books = line.ledger.books()
    assert books.refused == ({} if settled.status == 200 else {settled.status: 1})
    assert line.turn.rests == []
    line.spool.close()


@pytest.mark.parametrize("status", [300, 302, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
def test_any_other_refusal_is_no_loss(folder: Path, status: int) -> None:
    line = Line(folder, reply(status), reply(200))

    assert [seq for seq, _ in line.step(2)] == ["0", "0"]
    books = line.ledger.books()
    assert (books.posted, books.refused, line.spool.stock().waiting) == (1, {}, 2)
    assert len(line.turn.rests) == 1
    line.spool.close()


@pytest.mark.parametrize("reason", ["connect", "timeout", "reset", "tls", "protocol"])
def test_a_frame_without_a_reply_goes_again(folder: Path, reason: Reason) -> None:
    line = Line(folder, NoReply("no", reason=reason), NoReply("no", reason=reason), reply(200))

    assert [seq for seq, _ in line.step(3)] == ["0", "0", "0"]
    assert line.ledger.books().posted == 1
    line.spool.close()


def test_a_receiver_that_says_when_is_left_alone_until_then(folder: Path) -> None:
    line = Line(folder, reply(503, Retry_After="7"), reply(200))
    line.step(1)

    assert line.turn.rests[0] >= 7
    line.spool.close()


def test_a_frame_that_is_not_done_yet_is_asked_for_again_at_once(folder: Path) -> None:
    line = Line(
        folder,
        reply(202, Preference_Applied=APPLIED),
        reply(202, Preference_Applied=APPLIED),
        *[reply(200)] * 2,
    )

    assert line.step(4) == [("0", False), ("0", True), ("0", True), ("1", False)]
    assert line.turn.rests == []
    line.spool.close()


def test_who_could_not_wait_for_it_is_asked_after_a_pause(folder: Path) -> None:
    line = Line(folder, reply(202), reply(200))

    assert line.step(2) == [("0", False), ("0", True)]
    assert len(line.turn.rests) == 1
    line.spool.close()


@pytest.mark.parametrize(
    ("answer", "marked"),
    [
        pytest.param(NoReply("no", reason="timeout"), True, id="no reply"),
        pytest.param(NoReply("no", reason="reset"), True, id="an end before the reply"),
        pytest.param(NoReply("no", reason="connect"), False, id="nobody there"),
        pytest.param(reply(503), True, id="503"),
        pytest.param(reply(502), True, id="502"),
        pytest.param(reply(429), False, id="429"),
        pytest.param(reply(401), False, id="401"),
        pytest.param(reply(409), False, id="no hook"),
    ],
)
def test_a_frame_says_when_it_may_have_been_there(
    folder: Path, answer: Reply | NoReply, marked: bool
) -> None:
    line = Line(folder, answer, NoReply("no", reason="connect"), reply(200), reply(200))

    assert line.step(4) == [("0", False), ("0", marked), ("0", marked), ("1", False)]
    line.spool.close()


def test_the_first_frame_of_an_earlier_run_says_so(folder: Path) -> None:
    line = Line(folder)
    kill(line.spool)
    line = Line(folder, *[reply(200)] * 6, frames=1)

    assert line.step(4) == [("0", True), ("1", False), ("2", False), ("0", False)]
    books = line.ledger.books()
    assert (books.recovered, books.posted) == (3, 4)
    line.spool.close()


def test_a_kept_connection_that_was_closed_is_no_trouble(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(folder, NoReply("no", reason="reset"), reply(200))

    assert line.step(2) == [("0", False), ("0", True)]
    assert (line.turn.rests, caplog.records) == ([], [])
    line.spool.close()


def test_a_stop_settles_nothing(folder: Path) -> None:
    line = Line(folder, NoReply("no", reason="stopped"))
    line.step(1)

    assert line.spool.stock().waiting == 3
    assert line.turn.rests == []
    line.spool.close()


def test_what_the_disk_does_not_give_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    line = Line(folder, *[reply(200)] * 2)
    monkeypatch.setattr("sender.spool.poster._READ_PAUSE", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.pread", refuse)
        line.step(3)
    line.spool.append(frame(3))

    assert line.step(1) == [("3", False)]
    assert line.ledger.books().failed == {"damaged": 3}
    assert len(caplog.records) == 1
    line.spool.close()


@pytest.fixture(autouse=True)
def _all_that_is_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
