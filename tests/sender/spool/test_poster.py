"""Each frame goes until its fate is known, and says when it may have been there before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sender.books import Ledger
from sender.courier import Courier, make_trouble
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.receiver_clock import ReceiverClock
from sender.spool.poster import SpoolPoster
from sender.spool.queue import FrameQueue
from sender.spool.stored import Stored
from shared.http_client import NoReply, Reason, Reply
from tests.sender.doubles import FakeClient, reply
from tests.sender.spool.doubles import Clock, Notes, frame, kill, open_spool, take
from tests.sender.test_poster import RestlessTurn

APPLIED = "wait=4"
FAILED = b'{"state": "failed", "error": "it raised"}'


class Line:
    """A spool with frames in it, a poster that is stepped by hand, and the books."""

    def __init__(
        self,
        folder: Path,
        *answers: Reply | NoReply,
        frames: int = 3,
        client: FakeClient | None = None,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        self.client = client or FakeClient(*answers)
        self.spool = open_spool(folder)
        queue = FrameQueue()
        self.ledger = Ledger(queue, stock=self.spool.stock)
        self.turn = RestlessTurn()
        courier = Courier(
            *(self.client, Endpoint.parse("http://h", "cam1", every=True)),
            limits=Limits("cam1"),
            receiver_clock=ReceiverClock(),
            trouble=make_trouble("cam1", clock),
        )
        self.poster = SpoolPoster(
            *("cam1", self.spool, courier),
            ledger=self.ledger,
            turn=self.turn,
            wait=4.0,
            clock=clock,
            **options,
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
        pytest.param(reply(204), id="processed, without a word"),
        pytest.param(reply(500, FAILED), id="failed in the hook"),
        *(pytest.param(reply(status), id=str(status)) for status in (400, 411, 413, 415, 422)),
    ],
)
def test_a_frame_whose_fate_is_known_is_let_go(folder: Path, settled: Reply) -> None:
    line = Line(folder, settled, reply(200))

    assert line.step(2) == [("0", False), ("1", False)]
    books = line.ledger.books()
    assert books.refused == ({} if settled.status < 300 else {settled.status: 1})
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


@pytest.mark.parametrize("body", [b"{", b"{}", b"null", b"[1]", b'{"state": "lost"}', b"\xff"])
def test_an_error_that_does_not_name_the_hook_is_no_loss(folder: Path, body: bytes) -> None:
    line = Line(folder, reply(500, body), reply(200))

    assert [seq for seq, _ in line.step(2)] == ["0", "0"]
    assert line.ledger.books().refused == {}
    line.spool.close()


@pytest.mark.parametrize("reason", ["connect", "timeout", "reset", "tls", "protocol"])
def test_a_frame_without_a_reply_goes_again(folder: Path, reason: Reason) -> None:
    line = Line(folder, NoReply("no", reason=reason), NoReply("no", reason=reason), reply(200))

    assert [seq for seq, _ in line.step(3)] == ["0", "0", "0"]
    assert line.ledger.books().posted == 1
    assert len(line.turn.rests) == (1 if reason == "reset" else 2)
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
        pytest.param(reply(403), False, id="403"),
        pytest.param(reply(404), False, id="404"),
        pytest.param(NoReply("no", reason="forbidden"), False, id="a proxy that forbids it"),
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


def test_a_reply_between_two_closed_connections_makes_them_no_trouble(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    closed = NoReply("no", reason="reset")
    line = Line(folder, closed, reply(200), closed, reply(200), closed, closed)
    line.step(5)
    assert (line.turn.rests, caplog.records) == ([], [])

    line.step(1)
    assert (len(line.turn.rests), len(caplog.records)) == (1, 1)
    line.spool.close()


def test_what_the_receiver_will_never_take_is_told_and_so_is_that_it_takes_frames_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    line = Line(folder, reply(415), reply(200), clock=clock)
    line.step(1)
    clock.now += 3
    line.step(1)

    told, over = caplog.messages
    assert "415" in told
    assert over == "camera cam1: frames are taken again after 0.0 s and 1 failures"
    line.spool.close()


def test_after_a_frame_was_taken_rests_are_short_again(folder: Path) -> None:
    line = Line(folder, *[reply(503)] * 5, reply(200))
    line.step(5)
    assert line.turn._backoff.failures == 5

    line.step(1)
    assert line.turn._backoff.failures == 0
    line.spool.close()


class SlowClient(FakeClient):
    """Answers after two seconds."""

    def __init__(self, clock: Clock, *answers: Reply | NoReply) -> None:
        super().__init__(*answers)
        self._clock = clock

    def post(self, *args: Any, **options: Any) -> Reply:
        self._clock.now += 2
        return super().post(*args, **options)


def test_what_each_frame_took_is_told(folder: Path) -> None:
    clock = Clock()
    notes = Notes()
    line = Line(
        folder,
        client=SlowClient(clock, reply(200), reply(200), reply(503), reply(415)),
        clock=clock,
        stopwatch=notes,
        trace_of=lambda number: None if number == 1 else notes,
    )
    first = take(line.spool)
    line.spool.put_back(first)
    begun = clock.now
    line.step(1)

    assert line.ledger.age() == clock.now - first.frame.arrived
    assert notes.posts == [("cam1", 2.0, 100)]
    assert notes.ends == [("cam1 0", "posted", (begun, begun + 2))]

    line.step(3)
    assert notes.posts == [("cam1", 2.0, 100)] * 2
    assert notes.ends[1:] == [("cam1 2", "415", (begun + 6, begun + 8))]
    line.spool.close()


def test_who_has_no_turn_sends_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def refuse(rank: int, timeout: float) -> bool:
        asked.append((rank, timeout))
        return False

    line = Line(folder)
    monkeypatch.setattr(line.turn, "take", refuse)

    assert line.step(1) == []
    assert asked == [(0, 0.25)]  # and looks whether to stop so often
    line.spool.close()


def test_the_turn_is_given_back_after_each_try(folder: Path) -> None:
    line = Line(folder, reply(200), reply(503), NoReply("no", reason="timeout"))
    for _ in range(3):
        line.step(1)
        assert line.turn.take(1, 30.0)
        line.turn.give(1)
    line.spool.close()


def test_each_file_that_is_not_given_is_tried_three_times(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(timeout: float) -> Stored | None:
        raise OSError(5, "Input/output error")

    done: list[str] = []
    line = Line(folder)
    monkeypatch.setattr(line.poster, "pause", lambda seconds: done.append("pause"))
    with monkeypatch.context() as patched:
        patched.setattr(line.spool, "next", refuse)
        patched.setattr(line.spool, "pass_over", lambda: done.append("on"))
        line.step(6)

    assert done == ["pause", "pause", "on"] * 2
    line.spool.close()


def test_it_looks_soon_whether_to_stop_and_ends_with_the_spool(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(timeout: float) -> Stored | None:
        waits.append(timeout)
        return following(0)

    line = Line(folder, frames=0)
    following = line.spool.next
    monkeypatch.setattr(line.spool, "next", wait)
    line.step(1)
    before = line.poster.stopping
    line.spool.end()
    line.step(1)

    assert (before, line.poster.stopping) == (False, True)
    assert waits == [0.25, 0.25]
    assert line.poster.name == "poster of cam1"
    line.poster.interrupt()
    line.poster.close()
    assert line.client.calls == ["interrupt", "close"]
    line.spool.close()


def test_what_the_disk_does_not_note_is_told_and_counts_as_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(number: int) -> None:
        raise OSError(5, "Input/output error")

    line = Line(folder, *[reply(200)] * 3)
    with monkeypatch.context() as patched:
        patched.setattr(line.spool._cursor, "move", refuse)
        assert line.step(2) == [("0", False), ("1", False)]

    assert line.ledger.books().posted == 2
    assert caplog.messages == [
        f"camera cam1: cannot note what is delivered ({folder}: Input/output error); after a"
        " restart it would be sent again"
    ]
    line.spool.close()


def test_a_disk_that_gives_now_and_then_costs_no_frame(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(timeout: float) -> Stored | None:
        raise OSError(5, "Input/output error")

    caplog.set_level(logging.INFO)
    clock = Clock()
    pauses: list[float] = []
    line = Line(folder, *[reply(200)] * 3, clock=clock)
    monkeypatch.setattr(line.poster, "pause", pauses.append)
    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(line.spool, "next", refuse)
            line.step(2)
        line.step(1)
    clock.now += 5
    line.step(1)

    assert line.ledger.books().posted == 3
    assert line.ledger.books().failed == {}
    assert pauses == [0.5] * 6
    assert caplog.messages == [
        f"camera cam1: stored frames cannot be read ({folder}: Input/output error)"
    ]
    line.spool.append(frame(3))
    line.step(1)
    assert caplog.messages[1:] == [
        "camera cam1: stored frames are read again after 0.0 s and 6 failures"
    ]
    line.spool.close()


@pytest.fixture(autouse=True)
def _all_that_is_told(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
