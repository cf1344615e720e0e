from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from framepost_client import MAX_REPLY, Client, Control, Frame, FramepostError, NoReply, Refused
from framepost_live import Counts, Event, LatestFrameSender, events

from shared import pattern
from tests.clients.conftest import MakeFolder, blocks
from tests.clients.event_server import EVENTS, TEXT, cut, event_server
from tests.clients.example_contract import ExampleContract
from tests.clients.servers import (
    Answer,
    Request,
    ScriptedServer,
    accepted,
    problem,
    processed,
)
from tests.conftest import MakeFrame
from tests.program import ROOT, Command, Receiver
from tests.sender.doubles import RawServer, black_hole

FOLDER = ROOT / "clients" / "python"
#: A key and a self-signed certificate for 127.0.0.1.
PEM = ROOT / "tests" / "shared" / "localhost.pem"


class TestExample(ExampleContract):
    command: ClassVar = (sys.executable, str(FOLDER / "example.py"))


def test_the_lines_of_the_readme_work(
    make_folder: MakeFolder, witness: Receiver, tmp_path: Path
) -> None:
    make_folder(1, first=5)
    (tmp_path / "pictures" / "005.jpg").rename(tmp_path / "photo.jpg")
    first, *_ = blocks(FOLDER / "README.md", "python", url=witness.url)
    script = tmp_path / "lines.py"
    script.write_text(first, encoding="utf-8")

    environment = {"PYTHONPATH": str(FOLDER)}
    with Command(sys.executable, str(script), env=environment, cwd=tmp_path) as program:
        assert program.wait() == 0, program.output

    assert program.lines[0].startswith("processed {")
    assert "'number': 5" in program.lines[0]


# One frame, one reply


def test_a_reply_has_what_the_hook_returned_and_what_the_receiver_wishes() -> None:
    wish = "fps=7.5; size=640x360; quality=70; mood=good"
    with (
        ScriptedServer(lambda r: processed(r, [1, {"a": None}], X_Frame_Control=wish)) as server,
        Client(server.url + "/", "cam.1-x_") as client,
    ):
        reply = client.send(b"jpeg", wait=1)

    assert (reply.status, reply.state, reply.seq) == (200, "processed", 0)
    assert reply.result == [1, {"a": None}]
    assert reply.timings == {"queue": 0.1, "decode": 2.31, "hook": 4.0, "total": 6.7}
    assert reply.control == Control(fps=7.5, size=(640, 360), quality=70)


@pytest.mark.parametrize("wish", ["", "fps=0", "fps=-1; size=640", "quality=high", ";;=;", "fps="])
def test_a_wish_that_says_nothing_legible_is_none(wish: str) -> None:
    with (
        ScriptedServer(lambda r: accepted(r, X_Frame_Control=wish)) as server,
        Client(server.url, "a") as client,
    ):
        assert client.send(b"jpeg").control is None


def test_a_frame_can_be_asked_to_be_processed_whatever_comes() -> None:
    with ScriptedServer() as server, Client(server.url, "a") as client:
        client.send(b"jpeg", every=True)

    assert server.requests[0].query == {"mode": "every"}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("1000", 60.0), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_a_refusal_says_when_to_come_back(header: str, seconds: float | None) -> None:
    with (
        ScriptedServer([problem(503, "not now", Retry_After=header)]) as server,
        Client(server.url, "a") as client,
        pytest.raises(Refused) as caught,
    ):
        client.send(b"jpeg")

    assert (caught.value.status, caught.value.detail) == (503, "not now")
    assert caught.value.retry_after == seconds


def test_raw_pixels_reach_the_hook(witness: Receiver) -> None:
    image = np.ascontiguousarray(pattern.draw(41, 160, 120))
    with Client(witness.url, "raw") as client:
        reply = client.send(
            image.tobytes(), content_type="application/x-raw-bgr; width=160; height=120", wait=10
        )

    assert reply.result["number"] == 41


def test_a_reply_too_long_is_given_up() -> None:
    with (
        ScriptedServer([Answer(200, bytes(MAX_REPLY + 1))]) as server,
        Client(server.url, "a") as client,
    ):
        with pytest.raises(NoReply, match="longer than"):
            client.send(b"jpeg")
        assert client.send(b"jpeg").state == "accepted"


def test_times_of_a_reply_that_are_none_are_not_sent_back() -> None:
    times = {"X-Received-At": "yesterday", "X-Replied-At": "1.5"}
    with (
        ScriptedServer([Answer(202, {"state": "accepted"}, times)]) as server,
        Client(server.url, "a") as client,
    ):
        for _ in range(3):
            client.send(b"jpeg")

    _, second, third = server.requests
    assert "x-last-exchange" not in second.headers
    assert "x-last-exchange" in third.headers


@pytest.mark.parametrize(("idle", "connections"), [(4.0, 1), (0.0, 3)])
def test_a_connection_that_was_idle_for_long_is_not_used_again(
    idle: float, connections: int
) -> None:
    with ScriptedServer() as server, Client(server.url, "a", idle_timeout=idle) as client:
        for _ in range(3):
            client.send(b"jpeg")

    assert server.connections == connections


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_server_that_does_not_read_costs_no_more_than_the_timeout(tls: bool) -> None:
    started = time.monotonic()
    with (
        hung(tls) as port,
        client_of(port, tls=tls) as client,
        pytest.raises(NoReply) as caught,
    ):
        client.send(bytes(32 << 20))

    assert caught.value.reason == "timeout"
    # Far above the half second, far below the half minute for which the server does not read.
    assert time.monotonic() - started < 15


def test_a_reply_that_drips_through_tls_costs_no_more_than_the_timeout() -> None:
    with (
        hung(True, start=b"HTTP/1.1 200 OK\r\nX: ") as port,
        client_of(port, tls=True) as client,
        pytest.raises(NoReply) as caught,
    ):
        client.send(b"jpeg")

    assert caught.value.reason == "timeout"


def test_a_certificate_that_is_not_trusted_is_trouble() -> None:
    with (
        hung(True) as port,
        Client(f"https://127.0.0.1:{port}", "a") as client,
        pytest.raises(NoReply, match="certificate") as caught,
    ):
        client.send(b"jpeg")

    assert caught.value.reason == "tls"


def test_proxies_and_netrc_are_not_heeded(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with black_hole() as port, ScriptedServer() as server, Client(server.url, "a") as client:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        client.send(b"jpeg")

    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("url", "camera", "token", "word"),
    [
        ("127.0.0.1:8000", "a", None, "url"),
        ("ftp://x", "a", None, "url"),
        ("http://x", "a/b", None, "camera"),
        ("http://x", "", None, "camera"),
        ("http://x", "a", "two\nlines", "token"),
    ],
)
def test_wrong_settings_are_told_at_once(
    url: str, camera: str, token: str | None, word: str
) -> None:
    with pytest.raises(ValueError, match=f"^{word}: expected"):
        Client(url, camera, token=token)


# The newest frame


def test_while_the_receiver_is_slow_only_the_newest_frame_waits() -> None:
    slow = threading.Event()
    with ScriptedServer(lambda r: accepted_after(r, slow)) as server, sender_to(server) as sender:
        sender.offer(b"0")
        server.wait_for(1)
        for number in range(1, 20):
            sender.offer(b"%d" % number)
        assert sender.counts == Counts(captured=20, superseded=18, waiting=2)
        slow.set()
        server.wait_for(2)

    assert [(request.seq, request.body) for request in server.requests] == [(0, b"0"), (19, b"19")]
    assert server.connections == 1
    assert sender.counts == Counts(captured=20, posted=2, superseded=18)


def test_the_books_close_at_every_moment() -> None:
    answers = [problem(422, "no"), Answer(cut=0), Answer(close=True)]
    with ScriptedServer(answers) as server, sender_to(server) as sender:
        seen = []
        while sender.counts.posted < 3:
            sender.offer(b"jpeg")
            seen.append(sender.counts)

    for c in [*seen, sender.counts]:
        assert c.captured == c.posted + c.superseded + c.refused + c.failed + c.waiting
    assert (sender.counts.refused, sender.counts.waiting) == (1, 0)
    # The third answer's end may cost a frame that is just being sent.
    assert sender.counts.failed in (1, 2)


def test_every_reply_and_every_trouble_is_told() -> None:
    told: list[tuple[int, object]] = []
    done = threading.Event()

    def tell(frame: Frame, what: object) -> None:
        told.append((frame.seq, what))
        done.set()

    def fault(frame: Frame, exc: FramepostError) -> None:
        tell(frame, str(exc))

    with (
        ScriptedServer([problem(415, "a poem")]) as server,
        LatestFrameSender(
            Client(server.url, "a"), on_reply=lambda f, r: tell(f, r.state), on_trouble=fault
        ) as sender,
    ):
        for _ in range(2):
            done.clear()
            sender.offer(b"jpeg")
            assert done.wait(30)

    assert told == [(0, "415: a poem"), (1, "accepted")]


def test_after_trouble_it_pauses_longer_and_longer_and_no_frame_is_sent_twice() -> None:
    with ScriptedServer([Answer(cut=0)] * 4) as server, sender_to(server) as sender:
        while len(server.requests) < 5:
            sender.offer(b"jpeg")
            time.sleep(0.001)

    times = [request.at for request in server.requests]
    # Half of 0.1, 0.2, 0.4 and 0.8 s is sure, the rest is jitter.
    assert times[3] - times[0] > 0.05 + 0.1 + 0.2
    assert times[4] - times[3] > 0.4
    seqs = [request.seq for request in server.requests]
    assert len(set(seqs)) == len(seqs)


def test_it_comes_back_when_the_receiver_asks_it_to_and_brings_what_is_newest_then() -> None:
    with (
        ScriptedServer([problem(503, "overloaded", Retry_After="1")]) as server,
        sender_to(server) as sender,
    ):
        sender.offer(b"0")
        server.wait_for(1)
        while len(server.requests) < 2:
            sender.offer(b"later")
            time.sleep(0.001)

    first, second = server.requests[:2]
    assert second.at - first.at > 0.95
    assert float(second.headers["x-timestamp"]) - first.at > 0.8  # and not from before the pause


def test_it_pauses_as_well_when_a_frame_was_taken_and_the_receiver_asks_for_a_pause() -> None:
    with (
        ScriptedServer(lambda r: accepted(r, **({} if r.seq else {"Retry_After": "1"}))) as server,
        sender_to(server) as sender,
    ):
        sender.offer(b"jpeg")
        server.wait_for(1)  # or another one than frame 0 might be the first
        while len(server.requests) < 2:
            sender.offer(b"jpeg")
            time.sleep(0.001)

    first, second = server.requests[:2]
    assert second.at - first.at > 0.95


def test_a_bad_frame_does_not_hold_up_the_next() -> None:
    with (
        ScriptedServer([problem(422, "cut off", Retry_After="60")]) as server,
        sender_to(server) as sender,
    ):
        sender.offer(b"bad")
        server.wait_for(1)
        sender.offer(b"good")
        server.wait_for(2)


def test_it_thins_out_as_the_receiver_wishes_and_counts_no_number_for_it() -> None:
    now = 1000.0
    with (
        ScriptedServer(lambda r: accepted(r, X_Frame_Control="fps=5")) as server,
        LatestFrameSender(Client(server.url, "a"), clock=lambda: now) as sender,
    ):
        sender.offer(b"0")
        until(lambda: sender.control == Control(fps=5))
        for tick in range(841):  # thirty seconds at 28 a second
            now = 1000 + tick / 28
            sender.offer(b"jpeg")

    counts = sender.counts
    assert 149 <= counts.captured <= 153
    assert counts.captured + counts.thinned == 1 + 841
    assert server.requests[-1].seq == counts.captured - 1


def test_it_can_be_told_not_to_obey() -> None:
    with (
        ScriptedServer(lambda r: accepted(r, X_Frame_Control="fps=0.01; quality=5")) as server,
        LatestFrameSender(Client(server.url, "a"), obey=False) as sender,
    ):
        for number in range(1, 4):
            sender.offer(b"jpeg")
            until(lambda: sender.counts.posted == number)  # noqa: B023

    assert sender.counts.thinned == 0
    assert sender.control == Control(fps=0.01, quality=5)


def test_a_wish_ends_when_it_is_not_repeated() -> None:
    wishes = iter(["fps=0.5"])

    def wish(request: Request) -> Answer:
        return accepted(request, X_Frame_Control=next(wishes, ""))

    now = 0.0
    with (
        ScriptedServer(wish) as server,
        LatestFrameSender(Client(server.url, "a"), clock=lambda: now) as sender,
    ):
        sender.offer(b"0")
        until(lambda: sender.control is not None)
        now = 10.0
        sender.offer(b"1")
        until(lambda: sender.control is None)
        sender.offer(b"2")
        server.wait_for(3)


def test_close_sends_what_waits() -> None:
    slow = threading.Event()
    with ScriptedServer(lambda r: accepted_after(r, slow)) as server, sender_to(server) as sender:
        sender.offer(b"0")
        server.wait_for(1)
        sender.offer(b"1")
        ending = threading.Thread(target=sender.close)
        ending.start()
        slow.set()
        ending.join(30)
        assert not ending.is_alive()
        with pytest.raises(ValueError, match="closed"):
            sender.offer(b"2")

    assert [request.body for request in server.requests] == [b"0", b"1"]
    assert sender.counts == Counts(captured=2, posted=2)


def test_close_ends_in_a_pause_at_once() -> None:
    with ScriptedServer([problem(503, "later", Retry_After="60")]) as server:
        started = time.monotonic()
        with sender_to(server) as sender:
            sender.offer(b"0")
            server.wait_for(1)
            sender.offer(b"1")

    assert time.monotonic() - started < 30
    assert sender.counts == Counts(captured=2, refused=1, failed=1)


def test_close_ends_though_the_receiver_never_answers() -> None:
    with (
        ScriptedServer(lambda _: Answer(silent=True)) as server,
        LatestFrameSender(Client(server.url, "a", timeout=0.3)) as sender,
    ):
        sender.offer(b"0")
        server.wait_for(1)
        sender.offer(b"1")

    assert sender.counts == Counts(captured=2, failed=2)


def test_close_begins_no_exchange_when_its_time_is_over() -> None:
    slow = threading.Event()
    now = 0.0
    with (
        ScriptedServer(lambda r: accepted_after(r, slow)) as server,
        LatestFrameSender(Client(server.url, "a"), clock=lambda: now) as sender,
    ):
        sender.offer(b"0")
        server.wait_for(1)
        sender.offer(b"1")
        ending = threading.Thread(target=sender.close)
        ending.start()
        until(lambda: is_closed(sender))
        now = 6.0
        slow.set()
        ending.join(30)
        assert not ending.is_alive()

    assert sender.counts == Counts(captured=2, posted=1, failed=1)
    assert len(server.requests) == 1


def test_frames_arrive_in_order_and_the_newest_is_processed(
    witness: Receiver, make_frame: MakeFrame
) -> None:
    replies = []
    with LatestFrameSender(
        Client(witness.url, "live"), wait=10, on_reply=lambda _, reply: replies.append(reply)
    ) as sender:
        for number in range(50):
            sender.offer(make_frame(number).data)

    assert {reply.state for reply in replies} == {"processed"}
    assert replies[-1].result["number"] == 49
    assert replies[-1].result["disorder"] == 0


# Results as they come


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_they_are_cut_into_chunks(size: int) -> None:
    with event_server(*cut(TEXT, size)) as (url, _):
        got = take(4, events(url))

    assert got == [Event(*event) for event in EVENTS]


def test_a_character_that_is_cut_in_two_is_put_together() -> None:
    at = TEXT.index("ü".encode()) + 1
    with event_server(TEXT[:at], TEXT[at:], pause=0.05) as (url, _):
        assert take(4, events(url)) == [Event(*event) for event in EVENTS]


def test_a_line_that_breaks_is_mended_and_goes_on_behind_the_last_event() -> None:
    with event_server(b"id: 7\ndata: 1\n\nid: 8\ndata: {") as (url, asked):
        got = take(3, events(url, camera="door", token="t0ken"))

    assert [event.id for event in got] == ["7", "7", "7"]
    assert asked[0].startswith("get /events?camera=door http/1.1")
    assert "authorization: bearer t0ken" in asked[0]
    assert "last-event-id" not in asked[0]
    assert "last-event-id: 7" in asked[1]


def test_a_line_that_falls_silent_is_opened_anew() -> None:
    with event_server(b"id: 1\ndata: 1\n\n", hold=True) as (url, asked):
        assert len(take(2, events(url, silence=0.1))) == 2
    assert len(asked) >= 2


def test_a_receiver_without_events_is_told_of_at_once_and_a_busy_one_is_asked_again() -> None:
    answers = [problem(503, "draining", Retry_After="0"), problem(404, "no such")]
    with ScriptedServer(answers) as server, pytest.raises(Refused, match="404: no such"):
        next(events(server.url))

    assert len(server.requests) == 2


def test_a_receiver_s_results_come_as_events(witness: Receiver, make_frame: MakeFrame) -> None:
    stream = events(witness.url, camera="events")
    numbers = []
    with Client(witness.url, "events") as client, closing(stream):
        for number in (3, 4):
            client.send(make_frame(number).data, wait=10)
            numbers.append(next(stream).data["result"]["number"])

    assert numbers == [3, 4]


# What the tests are made of


def accepted_after(request: Request, event: threading.Event) -> Answer:
    answer = accepted(request)
    return Answer(answer.status, answer.body, answer.headers, after=event)


def sender_to(server: ScriptedServer) -> LatestFrameSender:
    return LatestFrameSender(Client(server.url, "a"))


def is_closed(sender: LatestFrameSender) -> bool:
    try:
        sender.offer(b"more")
    except ValueError:
        return True
    return False


def client_of(port: int, *, tls: bool) -> Client:
    scheme = "https" if tls else "http"
    return Client(f"{scheme}://127.0.0.1:{port}", "a", timeout=0.5, verify=str(PEM))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def take(count: int, stream: Iterator[Event]) -> list[Event]:
    return [event for _, event in zip(range(count), stream, strict=False)]


@contextmanager
def hung(tls: bool, start: bytes = b"") -> Iterator[int]:
    """Give the port of a server that reads nothing, and drips after `start` if there is one."""
    ended = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    def handle(connection: socket.socket, _number: int) -> None:
        if not tls:
            ended.wait(60)
            return
        with suppress(OSError), context.wrap_socket(connection.dup(), server_side=True) as line:
            line.sendall(start)
            while not ended.wait(0.05):
                line.sendall(start and b"x")

    with RawServer(handle) as server:
        try:
            yield server.port
        finally:
            ended.set()
