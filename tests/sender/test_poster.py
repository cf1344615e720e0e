from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from itertools import count

import pytest

from sender.books import Ledger
from sender.courier import Client
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.turn import Turn
from shared import wire
from shared.backoff import Backoff
from shared.http_client import HttpClient, NoReply, Reply
from shared.latest import Latest
from tests.sender.doubles import FakeClient, FakePicture, PostServer, free_port, http_reply, reply


class RestlessTurn(Turn):
    """Notes its rests instead of making them."""

    def __init__(self) -> None:
        super().__init__()
        self.rests: list[float] = []

    def rest(self, at_least: float = 0.0) -> None:
        before = self._rests_until = time.monotonic()
        super().rest(at_least)
        self.rests.append(self._rests_until - before)
        self._rests_until = 0.0


class Line:
    """A slot, a poster that is stepped by hand, and its books."""

    def __init__(
        self,
        client: Client | None = None,
        *,
        size: tuple[int, int] | None = None,
        whole: bool = False,
        depth: int = 1,
        to: str = "http://h",
        token: str | None = None,
    ) -> None:
        self.slot: Latest[CapturedFrame] = Latest(depth)
        place = self.slot.reader()
        self.ledger = Ledger(place)
        self.limits = Limits("cam1", size=size, quality=70)
        self.turn = RestlessTurn()
        self.poster = Poster(
            "cam1",
            place,
            client or FakeClient(),
            endpoint=Endpoint.parse(to, "cam1", token=token),
            ledger=self.ledger,
            limits=self.limits,
            turn=self.turn,
            whole=whole,
        )
        self._seq = count()

    def put(self, data: bytes = b"jpeg") -> FakePicture:
        picture = FakePicture(data)
        self.slot.put(
            CapturedFrame(
                camera="cam1",
                epoch="e1",
                seq=next(self._seq),
                captured=time.monotonic(),
                picture=picture,
            )
        )
        return picture

    def send(self, frames: int = 1) -> None:
        for _ in range(frames):
            self.put()
            self.poster.step()

    def closes(self) -> bool:
        books = self.ledger.books()
        settled = sum(books.refused.values()) + sum(books.failed.values()) + books.posted
        return books.captured == settled + books.superseded + books.waiting


def test_a_frame_is_posted_with_its_envelope() -> None:
    client = FakeClient()
    line = Line(client)
    line.send(3)

    target, body, headers = client.posts[2]
    assert (target, body) == ("/cameras/cam1/frames", b"jpeg")
    envelope = wire.from_headers(headers)
    assert (envelope.epoch, envelope.seq) == ("e1", 2)
    assert line.ledger.books().posted == 3


def test_the_next_frame_brings_the_last_exchange() -> None:
    now = time.time()
    client = FakeClient(reply(X_Received_At=f"{now:.6f}", X_Replied_At=f"{now:.6f}"))
    line = Line(client)
    line.send(3)

    exchanges = [wire.from_headers(headers).exchange for _, _, headers in client.posts]
    assert [exchange is None for exchange in exchanges] == [True, False, True]
    assert exchanges[1] is not None
    assert exchanges[1].received == pytest.approx(now, abs=1e-6)


def test_the_age_does_not_follow_a_clock_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = time.time() - 3600

    class SettingClient(FakeClient):
        def post(
            self,
            target: str,
            body: bytes,
            headers: Mapping[str, str],
            *,
            sent: Callable[[], object] | None = None,
        ) -> Reply:
            monkeypatch.setattr("time.time", lambda: wrong)
            return super().post(target, body, headers, sent=sent)

    line = Line(SettingClient())
    line.send()

    age = line.ledger.age()
    assert age is not None
    assert 0 <= age < 60


def test_the_receiver_s_wish_holds_from_the_next_frame_on() -> None:
    client = FakeClient(reply(X_Frame_Control="fps=5; size=32x32; quality=40"))
    line = Line(client)
    pictures = []
    for _ in range(3):
        pictures.append(line.put())
        line.poster.step()

    assert [picture.asked for picture in pictures] == [
        [(70, (64, 48))],
        [(40, (32, 24))],
        [(70, (64, 48))],
    ]


def test_only_who_took_the_frame_can_lift_a_wish() -> None:
    wish = reply(X_Frame_Control="fps=5")
    line = Line(FakeClient(wish, reply(502), NoReply("no", reason="reset"), reply(413)))
    seen = []
    for _ in range(5):
        line.send()
        seen.append(line.limits.fps)

    assert seen == [5, 5, 5, 5, None]


def test_a_refusal_can_carry_a_wish() -> None:
    line = Line(FakeClient(reply(413, X_Frame_Control="size=32x32")))
    line.send()

    assert line.limits.size_of(64, 48) == (32, 24)


def test_only_the_newest_frame_is_made_a_jpeg() -> None:
    line = Line(size=(32, 24))
    pictures = [line.put() for _ in range(5)]
    line.poster.step()

    assert [picture.asked for picture in pictures] == [[]] * 4 + [[(70, (32, 24))]]
    assert line.ledger.books().superseded == 4
    assert line.closes()


def test_a_refusal_is_counted_by_its_status_and_not_sent_again() -> None:
    client = FakeClient(reply(503), reply(413), reply(500))
    line = Line(client)
    line.send(4)

    assert len(client.posts) == 4
    assert line.ledger.books().refused == {503: 1, 413: 1, 500: 1}
    assert line.ledger.books().posted == 1
    assert line.closes()


def test_a_frame_without_an_answer_is_counted_by_the_reason_and_not_sent_again() -> None:
    client = FakeClient(NoReply("no", reason="timeout"), NoReply("no", reason="connect"))
    line = Line(client)
    line.send(3)

    assert [wire.from_headers(headers).seq for _, _, headers in client.posts] == [0, 1, 2]
    assert line.ledger.books().failed == {"timeout": 1, "connect": 1}
    assert line.closes()


def test_a_picture_that_does_not_encode_fails_alone() -> None:
    client = FakeClient()
    line = Line(client)
    line.put(b"broken")
    line.poster.step()
    line.send()

    assert line.ledger.books().failed == {"encode": 1}
    assert line.ledger.books().posted == 1
    assert line.closes()


def test_pauses_grow_while_the_receiver_is_away_and_start_over() -> None:
    away = [NoReply("no", reason="connect")] * 10
    line = Line(FakeClient(*away, reply(), NoReply("no", reason="connect")))
    line.send(12)

    rests = line.turn.rests
    assert len(rests) == 11
    assert sum(rests[5:10]) > 0.1 * 5, "longer than at first"
    assert all(0.05 <= rest <= 1.01 for rest in rests)
    assert rests[10] <= 0.11


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        pytest.param("3", 3, 4, id="seconds"),
        pytest.param("100000", 60, 75, id="too many"),
        pytest.param("0", 0.25, 1.25, id="none at all is still a pause"),
        pytest.param("soon", 0.25, 1.25, id="garbage"),
        pytest.param("-7", 0.25, 1.25, id="the past"),
        pytest.param("9" * 400, 60, 75, id="a number beyond floats"),
        pytest.param(formatdate(time.time() + 3600, usegmt=True), 60, 75, id="a date"),
        pytest.param(formatdate(0, usegmt=True), 0.25, 1.25, id="a past date"),
    ],
)
def test_retry_after_is_honoured_within_bounds(value: str, least: float, most: float) -> None:
    line = Line(FakeClient(reply(503, Retry_After=value)))
    line.send()

    assert least <= line.turn.rests[0] <= most + 0.01


@pytest.mark.parametrize("status", [301, 401, 404, 429, 500, 503])
def test_a_refusal_of_everything_is_no_tight_loop(status: int) -> None:
    line = Line(FakeClient(reply(status)))
    line.send()

    assert line.turn.rests


def test_a_refusal_of_one_frame_holds_up_nothing() -> None:
    line = Line(FakeClient(reply(413), reply(422)))
    line.send(3)

    assert line.turn.rests == []


def test_a_redirect_is_an_error_that_says_where_it_pointed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line(FakeClient(reply(302, Location="https://u:canary@new/x")))
    line.send()

    assert line.ledger.books().refused == {302: 1}
    assert "redirects to 'https://***@new/x' (302)" in caplog.text
    assert "canary" not in caplog.text


def test_a_refusal_is_told_once_in_the_receivers_words(caplog: pytest.LogCaptureFixture) -> None:
    problem = reply(401, b'{"title": "x", "detail": "token: expected one"}')
    problem.headers["Content-Type"] = "application/problem+json"
    line = Line(FakeClient(*[problem] * 20))
    line.send(20)

    assert caplog.messages == [
        "camera cam1: http://h:80 refuses frames (401): 'token: expected one'; give its token in "
        "SENDER_TOKEN or --token"
    ]


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_does_not_do_is_tried_again_slowly(status: int) -> None:
    asks = reply(status, Retry_After="40")
    refusals = [reply(status), reply(status), reply(status), asks, reply(status)]
    line = Line(FakeClient(*refusals, reply(202), reply(status)))
    line.send(7)

    floors = [5, 5, 30, 40, 30, 5]
    for rest, floor in zip(line.turn.rests, floors, strict=True):
        assert floor <= rest <= floor * 1.26
    assert line.ledger.books().posted == 1


def test_a_token_is_tried_again_soon_when_the_receiver_was_away() -> None:
    away = NoReply("no", reason="connect")
    line = Line(FakeClient(*[reply(401)] * 4, away, reply(401), reply(202)))
    line.send(7)

    are_long = [rest >= 30 for rest in line.turn.rests]
    assert are_long == [False, False, True, True, False, False]


def test_a_file_s_frames_wait_for_a_token_that_does(caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient(reply(401), reply(403), reply(202))
    line = Line(client, whole=True)
    line.put()
    for _ in range(3):
        line.poster.step()

    assert [wire.from_headers(headers).seq for _, _, headers in client.posts] == [0, 0, 0]
    assert (line.ledger.books().posted, line.closes()) == (1, True)


#: What a token may hold that has a meaning elsewhere.
CANARY = "canary@:/%?#&=+'\\~!$^*()"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_server_that_says_the_token_back_does_not_put_it_into_the_log(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"no {CANARY}! Authorization: Bearer {CANARY}, {CANARY}".encode()
    line = Line(
        FakeClient(reply(status, said), NoReply(f"no HTTP: {CANARY!r}", reason="protocol")),
        token=CANARY,
    )
    line.send(2)

    assert len(caplog.messages) == 2
    assert "canary" not in caplog.text
    assert "***" in caplog.messages[0]


def test_a_file_s_frame_is_tried_until_the_receiver_answers() -> None:
    client = FakeClient(NoReply("no", reason="connect"), reply(503), reply(202))
    line = Line(client, whole=True)
    picture = line.put()
    for _ in range(3):
        line.poster.step()

    assert [wire.from_headers(headers).seq for _, _, headers in client.posts] == [0, 0, 0]
    assert len(picture.asked) == 1
    books = line.ledger.books()
    assert (books.posted, books.captured, dict(books.refused), dict(books.failed)) == (1, 1, {}, {})


def test_a_file_s_frame_that_is_refused_for_good_is_not_tried_again() -> None:
    client = FakeClient(reply(413))
    line = Line(client, whole=True)
    line.send(2)

    assert len(client.posts) == 2
    assert line.ledger.books().refused == {413: 1}


def test_a_stop_while_a_file_s_frame_waits_leaves_the_books_closed() -> None:
    line = Line(FakeClient(NoReply("no", reason="connect")), whole=True)
    line.send()
    assert line.ledger.books().waiting == 1

    line.poster.close()

    assert line.ledger.books().failed == {"stopped": 1}
    assert line.closes()


def test_the_end_of_the_slot_ends_the_poster() -> None:
    line = Line()
    line.slot.close()
    line.poster.step()

    assert line.poster.stopping


def test_the_costs_are_told_to_the_stopwatch() -> None:
    class Notes:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def waited(self, camera: str, seconds: float) -> None:
            self.seen.append(f"waited {camera} {seconds >= 0}")

        def encoded(self, camera: str, seconds: float) -> None:
            self.seen.append(f"encoded {camera} {seconds >= 0}")

        def posted(self, camera: str, seconds: float, size: int) -> None:
            self.seen.append(f"posted {camera} {seconds >= 0} {size}")

    notes = Notes()
    slot: Latest[CapturedFrame] = Latest()
    place = slot.reader()
    poster = Poster(
        "cam1",
        place,
        FakeClient(),
        endpoint=Endpoint.parse("http://h", "cam1"),
        ledger=Ledger(place),
        stopwatch=notes,
    )
    slot.put(
        CapturedFrame(
            camera="cam1", epoch="e", seq=0, captured=time.monotonic(), picture=FakePicture()
        )
    )
    poster.step()

    size = len(FakePicture().to_jpeg(80))
    assert notes.seen == ["waited cam1 True", "encoded cam1 True", f"posted cam1 True {size}"]


def started(port: int, slot: Latest[CapturedFrame]) -> tuple[Poster, Ledger]:
    place = slot.reader()
    ledger = Ledger(place)
    client = HttpClient("127.0.0.1", port, deadline=1.0)
    poster = Poster(
        "cam1",
        place,
        client,
        endpoint=Endpoint.parse(f"http://127.0.0.1:{port}", "cam1"),
        ledger=ledger,
        turn=Turn(backoff=Backoff(0.01, 0.1)),
    )
    poster.start()
    return poster, ledger


def frame(seq: int) -> CapturedFrame:
    return CapturedFrame(
        camera="cam1", epoch="e1", seq=seq, captured=time.monotonic(), picture=FakePicture()
    )


def test_a_slow_receiver_gets_the_newest_and_the_books_close() -> None:
    go_on = threading.Semaphore(0)

    def slow(_: int) -> bytes:
        go_on.acquire(timeout=60)
        return http_reply()

    slot: Latest[CapturedFrame] = Latest()
    with PostServer(slow) as server:
        poster, ledger = started(server.port, slot)
        slot.put(frame(0))
        server.wait_for(1)
        for seq in range(1, 50):
            slot.put(frame(seq))
        go_on.release(2)
        server.wait_for(2)
        slot.close()
        assert poster.join(30)

    assert [headers["x-frame-seq"] for _, headers, _ in server.requests] == ["0", "49"]
    books = ledger.books()
    assert (books.captured, books.posted, books.superseded, books.waiting) == (50, 2, 48, 0)


def test_a_receiver_that_comes_back_gets_the_newest_frame() -> None:
    port = free_port()
    slot: Latest[CapturedFrame] = Latest()
    poster, ledger = started(port, slot)
    seq = count()
    deadline = time.monotonic() + 30
    while not ledger.books().failed.get("connect") and time.monotonic() < deadline:
        slot.put(frame(next(seq)))
        poster.pause(0.01)
    with PostServer(port=port) as server:
        newest = next(seq)
        slot.put(frame(newest))
        server.wait_for(1)
        slot.close()
        assert poster.join(30)

    assert server.requests[0][1]["x-frame-seq"] == str(newest)
    books = ledger.books()
    assert books.posted == 1
    assert books.captured == newest + 1 == 1 + books.failed["connect"] + books.superseded


def test_an_interrupt_ends_a_post_that_waits() -> None:
    arrived, never = threading.Event(), threading.Event()

    def silent(_: int) -> bytes:
        arrived.set()
        never.wait(60)
        return b""

    slot: Latest[CapturedFrame] = Latest()
    with PostServer(silent) as server:
        poster, ledger = started(server.port, slot)
        slot.put(frame(0))
        assert arrived.wait(30)
        poster.ask_to_stop()
        poster.interrupt()
        assert poster.join(30)
        never.set()

    assert ledger.books().failed == {"stopped": 1}
